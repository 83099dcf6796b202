// The flags that describe a job, shared by `render` and `submit`, so that both make the same request from the
// same words. Field names of the wire appear here beside their flags, and nowhere else in the CLI.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "consumer/cli/pass_flags.h"
#include "consumer/cli/shortcut_flags.h"
#include "schemas/operation.h"
#include "schemas/result.h"

namespace CLI {
class App;
}

namespace waggle::cli {

/// As given on the command line; absent means "what suits the model".
struct JobFlags {
  std::string prompt;
  std::optional<std::string> negative, size, sampler, schedule, init, mask;
  std::optional<int> steps, clip_skip;
  std::optional<double> guidance, strength;
  std::optional<std::int64_t> seed;
  std::vector<std::string> loras, controlnets, control_images;
  std::optional<std::string> vae;
  PassFlags passes;
  ShortcutFlags shortcuts;
  int images = 1;
  // `submit` alone:
  std::optional<std::string> worker, idempotency_key, tenant;
  std::optional<int> preview_every;
  std::optional<double> deadline_s;
  int priority = 0, max_attempts = 3;
  std::string format = "png";
};

/// The flags of the picture itself.
void add_job_flags(CLI::App& app, JobFlags& flags);
/// The same without the prompt.
void add_setting_flags(CLI::App& app, JobFlags& flags);
/// The flags of the queue: priority, deadline, attempts, ...
void add_queue_flags(CLI::App& app, JobFlags& flags);

/// Reads the files of --init, --mask and --control-image and checks every field. Errors: invalid_request in
/// terms of flags
/// ("--steps must be between 1 and 500, is 0"), io_error, payload_too_large.
Result<JobRequest> to_request(const JobFlags& flags, std::string model, OutputFormat format);

/// "512x768" -> {512, 768}. Errors: invalid_request.
Result<std::pair<int, int>> parse_size(std::string_view text);
/// "name" or "name:0.8". Errors: invalid_request.
Result<Lora> parse_lora(std::string_view text);

/// "name", "name:0.8", "name:0.8:0.1" or "name:0.8:0.1:0.6" (strength, start, end), without its picture.
/// Errors: invalid_request.
Result<ControlInput> parse_controlnet(std::string_view text);

/// The error with the flag's name in place of each field's path, as one line.
Error in_terms_of_flags(const Error& error);

}  // namespace waggle::cli
