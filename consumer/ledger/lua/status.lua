-- @flags no-writes
-- ARGV: id. Answers describe(id), or {'unknown'} or {'expired'}
return describe(ARGV[1]) or {why_missing(ARGV[1])}
