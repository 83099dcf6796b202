// Every number that bounds what may come from outside, in one place. PROTOCOL.md and the JSON Schema files
// state the same numbers; a test compares them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace waggle::limits {

inline constexpr int kMinSteps = 1, kMaxSteps = 500;
inline constexpr double kMinGuidance = 0.0, kMaxGuidance = 50.0;
inline constexpr int kMinSide = 64, kMaxSide = 4096;       // pixels
inline constexpr int kSideMultiple = 8;                    // pixels: one latent cell
inline constexpr std::int64_t kMaxPixels = 4096LL * 4096;  // width * height
inline constexpr int kMaxImagesPerJob = 64;
inline constexpr int kMaxClipSkip = 12;
inline constexpr int kMaxDeepCache = 20;          // evaluations
inline constexpr double kMaxTokenMerging = 0.75;  // one token of four stays
inline constexpr double kMinLoraStrength = -4.0, kMaxLoraStrength = 4.0;
inline constexpr std::size_t kMaxLoras = 16;
inline constexpr std::size_t kMaxListedAdapters = 1000;  // of a kind, in a heartbeat
inline constexpr double kMaxControlStrength = 4.0;
inline constexpr std::size_t kMaxControls = 8;
inline constexpr double kMaxHiresScale = 8.0;  // times the first size
inline constexpr double kMaxMaskBlur = 64.0;   // pixels
inline constexpr int kMaxMaskPadding = 1024;   // pixels
inline constexpr int kMinPriority = -10, kMaxPriority = 10;
inline constexpr int kMaxAttempts = 20;
inline constexpr double kMaxDeadlineSeconds = 30.0 * 86400;
inline constexpr int kMaxPreviewEvery = kMaxSteps;
inline constexpr std::int64_t kMaxSeed =
    (std::int64_t{1} << 53) - 1;  // exact in every language's JSON numbers

inline constexpr std::size_t kMaxPromptBytes = 16 * 1024;
inline constexpr std::size_t kMaxNameBytes = 256;  // model, sampler, LoRA and similar names
inline constexpr std::size_t kMaxIdBytes = 64;     // worker, request and tenant ids
inline constexpr std::size_t kMaxIdempotencyKeyBytes = 255;
inline constexpr std::size_t kMaxPictureBytes = 32u << 20;     // one encoded input picture
inline constexpr std::int64_t kMaxPicturePixels = 64'000'000;  // one decoded input picture
inline constexpr std::size_t kMaxBodyBytes = 100u << 20;       // one HTTP body (base64 pictures included)
inline constexpr std::size_t kMaxMessageBytes = 80u << 20;     // one wire message
inline constexpr std::size_t kMaxTopicBytes = 320;
inline constexpr std::size_t kMaxDepth = 16;          // nesting of MessagePack and JSON
inline constexpr std::size_t kMaxElements = 500'000;  // array and map members in one document
inline constexpr std::size_t kMaxSubmitMany = 1000;   // jobs in one submit_many

}  // namespace waggle::limits
