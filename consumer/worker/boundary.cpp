// Exceptions to error codes. Libraries below throw plain std::runtime_error for a failed allocation or a dead
// device, so their text is looked at too.
#include "consumer/worker/boundary.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <system_error>

#include <spdlog/spdlog.h>

namespace waggle::worker {
namespace {

struct Symptom {
  std::string_view text;  ///< lower case
  ErrorCode code;
};
constexpr Symptom kSymptoms[] = {
    {"out of memory", ErrorCode::out_of_memory},
    {"can't allocate memory", ErrorCode::out_of_memory},
    {"cannot allocate memory", ErrorCode::out_of_memory},
    {"cuda error", ErrorCode::device_error},
    {"cudnn", ErrorCode::device_error},
    {"cublas", ErrorCode::device_error},
    {"metal", ErrorCode::device_error},
};

ErrorCode diagnose(std::string_view what) {
  std::string text(what);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const Symptom& symptom : kSymptoms) {
    if (text.find(symptom.text) != std::string::npos) return symptom.code;
  }
  return ErrorCode::internal;
}

std::string_view public_text(ErrorCode code) {
  switch (code) {
    case ErrorCode::out_of_memory:
      return "the job does not fit into this worker's memory";
    case ErrorCode::device_error:
      return "the worker's device failed";
    case ErrorCode::io_error:
      return "the worker could not read or write a file";
    default:
      return "the worker failed on this job; its log says why under the job's id";
  }
}

}  // namespace

Error error_in_flight(const JobId& job) noexcept {
  // Error's strings may not fit either when memory has run out: an Error without text still says its code.
  ErrorCode code = ErrorCode::internal;
  try {
    try {
      throw;
    } catch (const std::bad_alloc& exception) {
      code = ErrorCode::out_of_memory;
      spdlog::error("job {}: {}", job.value, exception.what());
    } catch (const std::filesystem::filesystem_error& exception) {
      code = ErrorCode::io_error;
      spdlog::error("job {}: {}", job.value, exception.what());
    } catch (const std::exception& exception) {
      code = diagnose(exception.what());
      spdlog::error("job {}: {}", job.value, exception.what());
    } catch (...) {
      spdlog::error("job {}: an exception of an unknown kind", job.value);
    }
    return Error{code, std::string(public_text(code))};
  } catch (...) {
    Error bare;
    bare.code = code;
    return bare;
  }
}

}  // namespace waggle::worker
