// From what the scripts answer to the structs of schemas, and the few texts that go the other way. Private.
#pragma once

#include <string>
#include <string_view>

#include "consumer/ledger/connection.h"
#include "schemas/event.h"
#include "schemas/job.h"

namespace waggle::ledger {

/// A log entry {id, {field, value, ...}}. The entry's id is the event's number and, in its milliseconds, its
/// time. Errors: internal, when the entry holds nothing known.
Result<Event> read_event(const JobId& job, const Value& entry);
Result<Event> read_event(const JobId& job, const std::string& entry_id, const Value& fields);
/// The event under the number that its entry got.
Event logged_event(const JobId& job, const std::string& entry_id, int attempt, EventBody body);
/// A row of what claim.lua answers. Errors: internal.
Result<ClaimedJob> read_claimed(const Value& row, const WorkerId& worker);
/// What describe() of lua/job.lua answers.
Result<JobStatus> read_status(const Value& row);

/// "<seed> <format> <width> <height> <bytes>". In the record the attempt that made it stands before this.
std::string describe_image(const ImageInfo& info);
/// What the record says of an image.
ImageInfo read_image(int index, std::string_view description);

/// The error behind a script's answer 'unknown' or 'expired'; nothing for other words.
std::optional<Error> missing_job(std::string_view word);

std::int64_t event_time_ms(std::string_view entry_id);

}  // namespace waggle::ledger
