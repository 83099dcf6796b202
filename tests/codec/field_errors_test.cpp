// Every field of every vector, given a wrong type or taken away: an error that names its path, in both
// notations.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/codec/vectors.h"

namespace waggle::codec::test {

namespace {

using nlohmann::ordered_json;

// JSON pointers of every member and array element below `node`.
void collect(const ordered_json& node, const std::string& at, std::vector<std::string>& paths) {
  if (node.is_object()) {
    for (const auto& [key, value] : node.items()) {
      paths.push_back(at + "/" + key);
      collect(value, at + "/" + key, paths);
    }
  } else if (node.is_array()) {
    for (std::size_t i = 0; i < node.size(); ++i) {
      paths.push_back(at + "/" + std::to_string(i));
      collect(node[i], at + "/" + std::to_string(i), paths);
    }
  }
}

// Read by nobody: derived from the code, told for the convenience of clients.
bool is_derived(const std::string& path) { return path.ends_with("/retryable"); }

// A bare object's picture is text in JSON; any other text there is a base64 error.
bool names_path(const Error& error, const std::string& path) {
  return std::any_of(error.fields.begin(), error.fields.end(),
                     [&](const FieldError& f) { return f.path == path; });
}

}  // namespace

TEST_CASE("field errors: a wrong type in any field is an error with its path") {
  for (const Vector& vector : stored_vectors()) {
    const ordered_json good = ordered_json::parse(vector.json);
    std::vector<std::string> paths;
    collect(good, "", paths);
    for (const std::string& path : paths) {
      if (is_derived(path)) continue;
      for (const ordered_json& wrong :
           {ordered_json(ordered_json::object()), ordered_json(ordered_json::array()), ordered_json(true),
            ordered_json(7.25), ordered_json("\x01?")}) {
        const ordered_json::json_pointer pointer(path);
        ordered_json bad = good;
        const ordered_json& old = bad.at(pointer);
        const bool both_text = old.is_string() && wrong.is_string();
        if (both_text || (old.is_number_float() && wrong.is_number()) || old.type() == wrong.type()) continue;
        if (old.is_number() && wrong.is_number() && !old.is_number_float()) {
          // 7.25 suits a field that happens to hold a whole number, such as a strength of 1.
          if (decode_json(vector.kind,
                          [&] {
                            bad[pointer] = wrong;
                            return bad.dump();
                          }())
                  .has_value())
            continue;
        }
        bad[pointer] = wrong;
        const Result<AnyMessage> read = decode_json(vector.kind, bad.dump());
        INFO(vector.kind << "." << vector.name << " " << path << " = " << wrong.dump());
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().code == ErrorCode::invalid_request);
        CHECK(names_path(read.error(), path));
      }
    }
  }
}

TEST_CASE("field errors: taking away a field is either harmless or an error with its path") {
  std::size_t required = 0;
  for (const Vector& vector : stored_vectors()) {
    const ordered_json good = ordered_json::parse(vector.json);
    for (const auto& [key, value] : good.items()) {
      ordered_json bad = good;
      bad.erase(key);
      const Result<AnyMessage> read = decode_json(vector.kind, bad.dump());
      INFO(vector.kind << "." << vector.name << " without " << key);
      // Without its tag a picture operation is text to image, which ignores pictures.
      if (read.has_value()) continue;
      ++required;
      CHECK(read.error().code == ErrorCode::invalid_request);
      CHECK(names_path(read.error(), "/" + key));
    }
  }
  CHECK(required > 150);
}

TEST_CASE("field errors: all of them are collected, not the first") {
  const Result<Event> event =
      from_json<Event>(R"({"v":1,"type":"preview","job_id":"x","step":"1","index":1.5})");
  REQUIRE_FALSE(event.has_value());
  std::vector<std::string> paths;
  for (const FieldError& field : event.error().fields) paths.push_back(field.path);
  CHECK(paths ==
        std::vector<std::string>{"/job_id", "/at_ms", "/step", "/total", "/index", "/format", "/image"});
}

TEST_CASE("field errors: a message says what is wanted and what was found") {
  const auto message = [](const char* fields) {
    const auto read =
        from_json<Request>(R"({"v":1,"type":"drain","request_id":"r",)" + std::string(fields) + "}");
    return read.error().fields.at(0).message;
  };
  CHECK(message(R"("worker_id":5)") == "must be a string, is a number");
  CHECK(message(R"("worker_id":"a b")") == "must be 1 to 64 characters of A-Z a-z 0-9 . _ -");
  CHECK(message(R"("x":5)") == "is required");
}

}  // namespace waggle::codec::test
