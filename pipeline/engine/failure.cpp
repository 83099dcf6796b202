// Exceptions to errors.
#include "pipeline/engine/failure.h"

#include <new>
#include <stdexcept>
#include <string_view>

#include <c10/util/Exception.h>

#include "pipeline/weights/weight_source.h"

namespace waggle::pipeline {
namespace {

bool speaks_of_memory(std::string_view what) {
  return what.find("not enough memory") != what.npos || what.find("out of memory") != what.npos ||
         what.find("can't allocate memory") != what.npos;
}

Failure failure(ErrorCode code, std::string message, std::string detail) {
  return {Error{code, std::move(message)}, std::move(detail)};
}

}  // namespace

Failure failure_of(const std::exception_ptr& exception) noexcept {
  try {
    std::rethrow_exception(exception);
  } catch (const Cancelled& cancelled) {
    return failure(ErrorCode::cancelled, cancelled.what(), cancelled.what());
  } catch (const LoadError& error) {
    return failure(ErrorCode::model_load_failed, error.what(), error.what());
  } catch (const std::bad_alloc&) {
    return failure(ErrorCode::out_of_memory, "the device ran out of memory", "bad_alloc");
  } catch (const c10::Error& error) {
    const std::string detail = error.what_without_backtrace();
    if (speaks_of_memory(detail))
      return failure(ErrorCode::out_of_memory, "the device ran out of memory", detail);
    return failure(ErrorCode::internal, "the model's code failed", detail);
  } catch (const std::exception& error) {
    if (speaks_of_memory(error.what()))
      return failure(ErrorCode::out_of_memory, "the device ran out of memory", error.what());
    return failure(ErrorCode::internal, "the job could not be rendered", error.what());
  } catch (...) {
    return failure(ErrorCode::internal, "the job could not be rendered", "an exception of unknown type");
  }
}

}  // namespace waggle::pipeline
