// Reading a CLIP vocabulary: see pipeline/text/vocabulary.h.
#include "pipeline/text/vocabulary.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "pipeline/text/special_tokens.h"
#include "pipeline/text/token_ids.h"
#include "pipeline/text/unicode.h"

namespace waggle::pipeline {
namespace {

constexpr std::size_t kMaxMergeLine = 1024;  // bytes; CLIP's longest has 33

using std::filesystem::path;

Status fill_byte_ids(const path& file, const TokenIds& ids, Vocabulary& out) {
  const auto symbols = byte_symbols();
  for (std::size_t byte = 0; byte < symbols.size(); ++byte) {
    const auto inside = ids.find(symbols[byte]);
    const auto closing = ids.find(symbols[byte] + "</w>");
    if (inside == ids.end() || closing == ids.end()) {
      return load_error(file, 0, "has no token for the single byte " + std::to_string(byte));
    }
    out.byte_id[byte] = inside->second;
    out.closing_byte_id[byte] = closing->second;
  }
  return Done{};
}

// One line "left right". `line` counts from 1, `rank` from 0.
Status add_merge(const path& file, std::size_t line, std::string_view text, std::int32_t rank,
                 const TokenIds& ids, Vocabulary& out) {
  if (text.size() > kMaxMergeLine) return load_error(file, line, "is longer than any merge can be");
  const std::size_t space = text.find(' ');
  const bool two_parts = space != std::string_view::npos && space > 0 && space + 1 < text.size() &&
                         text.find(' ', space + 1) == std::string_view::npos;
  if (!two_parts) return load_error(file, line, "must be two symbols with one space between");
  const std::string left(text.substr(0, space)), right(text.substr(space + 1));
  const auto left_id = ids.find(left), right_id = ids.find(right), product = ids.find(left + right);
  if (left_id == ids.end() || right_id == ids.end() || product == ids.end()) {
    return load_error(file, line, "merges symbols that vocab.json does not have");
  }
  const bool fresh =
      out.merges.emplace(Vocabulary::key(left_id->second, right_id->second), Merge{rank, product->second})
          .second;
  if (!fresh) return load_error(file, line, "repeats an earlier merge");
  return Done{};
}

Status read_merges(const path& file, const TokenIds& ids, Vocabulary& out) {
  Result<std::string> content = read_small_file(file);
  if (!content) return std::move(content).error();
  std::string_view rest = *content;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  // OpenAI's own list is longer than the vocabulary made from it. What lies beyond the vocabulary's room for
  // merges (all tokens but 512 byte symbols and two special ones) was never part of the model.
  const std::size_t room = ids.size() > 514 ? ids.size() - 514 : 0;
  std::int32_t rank = 0;
  for (std::size_t line = 1; !rest.empty() && out.merges.size() < room; ++line) {
    const std::size_t newline = rest.find('\n');
    std::string_view text = rest.substr(0, newline);
    rest.remove_prefix(newline == std::string_view::npos ? rest.size() : newline + 1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty() || (line == 1 && text.starts_with("#version"))) continue;
    if (Status added = add_merge(file, line, text, rank++, ids, out); !added) return added;
  }
  return Done{};
}

Result<std::int32_t> special_id(const path& file, const TokenIds& ids, const std::string& token) {
  const auto found = ids.find(token);
  if (found == ids.end())
    return load_error(file, 0, "has no id for the special token '" + token.substr(0, 64) + "'");
  return found->second;
}

}  // namespace

std::array<std::string, 256> byte_symbols() {
  std::array<std::string, 256> symbols;
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool visible = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    unicode::append_utf8(symbols[byte], visible ? byte : next++);
  }
  return symbols;
}

Result<Vocabulary> load_vocabulary(const path& dir) {
  const path vocabulary_file = dir / "vocab.json";
  Result<TokenIds> ids = read_token_ids(vocabulary_file);
  if (!ids) return std::move(ids).error();
  Result<SpecialTokens> special = read_special_tokens(dir);
  if (!special) return std::move(special).error();

  Vocabulary out;
  for (const auto& [token, id] : *ids) out.size = std::max(out.size, static_cast<std::size_t>(id) + 1);
  if (Status filled = fill_byte_ids(vocabulary_file, *ids, out); !filled) return std::move(filled).error();
  if (Status read = read_merges(dir / "merges.txt", *ids, out); !read) return std::move(read).error();
  for (const auto& [token, id] :
       {std::pair(&special->begin, &out.begin_of_text), std::pair(&special->end, &out.end_of_text),
        std::pair(&special->pad, &out.pad)}) {
    Result<std::int32_t> known = special_id(vocabulary_file, *ids, *token);
    if (!known) return std::move(known).error();
    *id = *known;
  }
  return out;
}

}  // namespace waggle::pipeline
