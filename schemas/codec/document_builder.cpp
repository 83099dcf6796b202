// The stack of open containers, and the limits.
#include "schemas/codec/document_builder.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "schemas/limits.h"

namespace waggle::codec {

namespace {

bool has_duplicate_keys(const Object& object) {
  std::vector<std::string_view> keys;
  keys.reserve(object.size());
  for (const Member& member : object) keys.push_back(member.key);
  std::ranges::sort(keys);
  return std::ranges::adjacent_find(keys) != keys.end();
}

}  // namespace

bool DocumentBuilder::fail(ErrorCode code, std::string message) {
  if (!error_) error_ = Error{code, std::move(message), {}, std::nullopt};
  return false;
}

bool DocumentBuilder::count(std::size_t more) {
  if (more > limits::kMaxElements - elements_) {
    return fail(ErrorCode::payload_too_large,
                "more than " + std::to_string(limits::kMaxElements) + " elements in one document");
  }
  return true;
}

bool DocumentBuilder::add(Document value) {
  if (frames_.empty()) {
    if (complete_) return fail(ErrorCode::malformed_message, "more than one document");
    root_ = std::move(value);
    complete_ = true;
    return true;
  }
  Frame& top = frames_.back();
  if (Array* array = std::get_if<Array>(&top.container.value)) {
    array->push_back(std::move(value));
  } else {
    std::get<Object>(top.container.value).push_back({std::move(top.key), std::move(value)});
  }
  return true;
}

bool DocumentBuilder::scalar(Document value) {
  if (!count(1)) return false;
  ++elements_;
  return add(std::move(value));
}

bool DocumentBuilder::open(Document container, std::size_t claimed) {
  if (frames_.size() >= limits::kMaxDepth) {
    return fail(ErrorCode::malformed_message,
                "nested deeper than " + std::to_string(limits::kMaxDepth) + " levels");
  }
  if (!count(claimed) || !count(1)) return false;
  ++elements_;
  frames_.push_back({std::move(container), {}});
  return true;
}

bool DocumentBuilder::begin_array(std::size_t claimed) { return open(Document{Array{}}, claimed); }

bool DocumentBuilder::begin_object(std::size_t claimed) { return open(Document{Object{}}, claimed); }

bool DocumentBuilder::key(std::string name) {
  frames_.back().key = std::move(name);
  return true;
}

bool DocumentBuilder::end() {
  Document finished = std::move(frames_.back().container);
  frames_.pop_back();
  if (const Object* object = finished.get_if<Object>(); object && has_duplicate_keys(*object)) {
    return fail(ErrorCode::malformed_message, "an object has the same key twice");
  }
  return add(std::move(finished));
}

Result<Document> DocumentBuilder::take() && {
  if (error_) return *std::move(error_);
  if (!complete_) return Error{ErrorCode::malformed_message, "the message is incomplete", {}, std::nullopt};
  return std::move(root_);
}

}  // namespace waggle::codec
