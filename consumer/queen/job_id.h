// New job ids and seeds, and the digest that tells two requests apart. All randomness of the queen is here.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "schemas/ids.h"
#include "schemas/operation.h"

namespace waggle::queen {

/// A UUID version 7 (RFC 9562): 48 bits of milliseconds, then random bits. Sorts by time.
JobId new_job_id(std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

/// 0 .. 2^32-1: what every client and every file format can hold.
std::int64_t new_seed();

/// 64 hexadecimal digits over every field of the request.
std::string digest(const JobRequest& request);

}  // namespace waggle::queen
