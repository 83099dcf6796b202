// Result<T>: a value or an Error, for everything that comes from outside the process.
//
// A small subset of C++23's std::expected with the error type fixed, so that its uses can move there
// unchanged.
#pragma once

#include <cassert>
#include <type_traits>
#include <utility>
#include <variant>

#include "schemas/error.h"

namespace waggle {

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value. Calling it on an error is a programmer's error.
  [[nodiscard]] T& value() & { return assert(has_value()), *std::get_if<0>(&state_); }
  [[nodiscard]] const T& value() const& { return assert(has_value()), *std::get_if<0>(&state_); }
  [[nodiscard]] T&& value() && { return assert(has_value()), std::move(*std::get_if<0>(&state_)); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] T value_or(T other) const& { return has_value() ? value() : std::move(other); }

  /// The error. Calling it on a value is a programmer's error.
  [[nodiscard]] const Error& error() const& { return assert(!has_value()), *std::get_if<1>(&state_); }
  [[nodiscard]] Error&& error() && { return assert(!has_value()), std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value.
struct Done {
  bool operator==(const Done&) const = default;
};
using Status = Result<Done>;

}  // namespace waggle
