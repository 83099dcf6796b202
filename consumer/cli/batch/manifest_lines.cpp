// Documents by hand; jobs and errors by the codec's tables of fields.
#include "consumer/cli/batch/manifest_lines.h"

#include <utility>

#include "schemas/codec/envelope.h"
#include "schemas/codec/fields.h"
#include "schemas/codec/json.h"
#include "schemas/codec/json_text.h"

namespace waggle::cli::batch {

namespace {

using codec::Document;
using codec::Object;

constexpr std::int64_t kForm = 1;  ///< of the manifest

Document number(std::size_t value) { return {static_cast<std::int64_t>(value)}; }
Document text(std::string_view value) { return {std::string(value)}; }

std::string line(Object object) { return codec::write_json({std::move(object)}) + "\n"; }

const std::string* string_of(const Object& object, std::string_view key) {
  const Document* found = codec::find(object, key);
  return found == nullptr ? nullptr : found->get_if<std::string>();
}
std::int64_t number_of(const Object& object, std::string_view key, std::int64_t otherwise) {
  const Document* found = codec::find(object, key);
  const auto* value = found == nullptr ? nullptr : found->get_if<std::int64_t>();
  return value == nullptr ? otherwise : *value;
}

Error malformed(const char* what) { return {ErrorCode::malformed_message, what}; }

/// The object of a line. Errors: malformed_message.
Result<Object> object_of(std::string_view json) {
  auto document = codec::parse_json(json);
  if (!document) return document.error();
  auto* object = std::get_if<Object>(&document->value);
  if (object == nullptr) return malformed("is no object");
  return std::move(*object);
}

}  // namespace

std::string header_line(const RunHeader& header) {
  Object object{{"batch", {kForm}},
                {"run", text(header.run)},
                {"source", text(header.source)},
                {"digest", text(header.digest)},
                {"jobs", number(header.jobs)},
                {"version", text(header.version)}};
  if (header.local) {
    if (auto settings = codec::parse_json(*header.local)) object.push_back({"local", std::move(*settings)});
  }
  return line(std::move(object));
}

std::string job_line(const PlannedJob& job) {
  codec::Array files;
  for (const std::string& file : job.files) files.push_back(text(file));
  Object object{
      {"index", number(job.index)}, {"line", {std::int64_t{job.line}}}, {"files", {std::move(files)}}};
  if (!job.pictures.empty()) {
    Object pictures;
    for (const auto& [id, source] : job.pictures) pictures.push_back({id.value, text(source)});
    object.push_back({"pictures", {std::move(pictures)}});
  }
  object.push_back({"job", codec::encode(job.request)});
  return line(std::move(object));
}

std::string image_line(const ImageRecord& image) {
  return line({{"index", number(image.index)},
               {"image", {std::int64_t{image.info.index}}},
               {"file", text(image.file)},
               {"seed", {image.info.seed}},
               {"width", {std::int64_t{image.info.width}}},
               {"height", {std::int64_t{image.info.height}}},
               {"bytes", {image.info.bytes}},
               {"digest", text(image.digest)}});
}

std::string completed_line(std::size_t index, std::string_view where, double render_s,
                           std::string_view resolved) {
  Object object{
      {"index", number(index)}, {"end", text("completed")}, {"by", text(where)}, {"render_s", {render_s}}};
  if (auto job = codec::parse_json(resolved); job && job->get_if<Object>() != nullptr)
    object.push_back({"resolved", std::move(*job)});
  return line(std::move(object));
}

std::string failed_line(std::size_t index, std::string_view where, const Error& error) {
  return line({{"index", number(index)},
               {"end", text("failed")},
               {"by", text(where)},
               {"error", codec::encode(error)}});
}

std::string generation_line(std::size_t index, int generation) {
  return line({{"index", number(index)}, {"generation", {std::int64_t{generation}}}});
}

Result<RunHeader> read_header(std::string_view json) {
  auto object = object_of(json);
  if (!object) return object.error();
  if (number_of(*object, "batch", 0) != kForm)
    return malformed("is not the head of a manifest that this version reads");
  RunHeader header;
  const auto take = [&](std::string_view key, std::string& to) {
    const std::string* value = string_of(*object, key);
    if (value != nullptr) to = *value;
    return value != nullptr;
  };
  if (!take("run", header.run) || !take("source", header.source) || !take("digest", header.digest))
    return malformed("lacks run, source or digest");
  take("version", header.version);
  const std::int64_t jobs = number_of(*object, "jobs", -1);
  if (jobs < 0) return malformed("lacks the number of jobs");
  header.jobs = static_cast<std::size_t>(jobs);
  if (const Document* local = codec::find(*object, "local")) header.local = codec::write_json(*local);
  return header;
}

Result<PlannedJob> read_job(std::string_view json) {
  auto object = object_of(json);
  if (!object) return object.error();
  const Document* request = codec::find(*object, "job");
  const std::int64_t index = number_of(*object, "index", -1);
  if (request == nullptr || index < 0) return malformed("lacks index or job");
  auto read = codec::read_whole<JobRequest>(*request, codec::Notation::json);
  if (!read) return read.error();
  PlannedJob job{static_cast<std::size_t>(index),
                 static_cast<int>(number_of(*object, "line", 0)),
                 std::move(read).value(),
                 {},
                 {}};
  const Document* files = codec::find(*object, "files");
  if (const auto* list = files == nullptr ? nullptr : files->get_if<codec::Array>()) {
    for (const Document& file : *list) {
      if (const auto* name = file.get_if<std::string>()) job.files.push_back(*name);
    }
  }
  if (job.files.size() != static_cast<std::size_t>(job.request.n)) return malformed("lacks files");
  const Document* pictures = codec::find(*object, "pictures");
  if (const auto* sources = pictures == nullptr ? nullptr : pictures->get_if<Object>()) {
    for (const codec::Member& member : *sources) {
      if (const auto* source = member.value.get_if<std::string>()) job.pictures[BlobId(member.key)] = *source;
    }
  }
  return job;
}

Status apply_line(std::string_view json, std::vector<JobRecord>& records) {
  auto object = object_of(json);
  if (!object) return object.error();
  const std::int64_t index = number_of(*object, "index", -1);
  if (index < 0 || static_cast<std::size_t>(index) >= records.size())
    return malformed("is about no job of the run");
  JobRecord& record = records[static_cast<std::size_t>(index)];
  if (const std::int64_t image = number_of(*object, "image", -1); image >= 0) {
    if (static_cast<std::size_t>(image) >= record.images.size())
      return malformed("is about no image of its job");
    record.images[static_cast<std::size_t>(image)] = true;
  }
  if (const std::int64_t generation = number_of(*object, "generation", -1); generation >= 0)
    record = {JobOutcome::open, static_cast<int>(generation), std::vector<bool>(record.images.size()),
              std::nullopt};
  if (const std::string* end = string_of(*object, "end")) {
    record.outcome = *end == "completed" ? JobOutcome::completed : JobOutcome::failed;
    record.error.reset();
    if (const Document* error = codec::find(*object, "error")) {
      if (auto read = codec::read_whole<codec::ErrorRecord>(*error, codec::Notation::json))
        record.error = read->error;
    }
  }
  return Done{};
}

}  // namespace waggle::cli::batch
