// Hires and refiner flags to a request.
#include "consumer/cli/pass_flags.h"

#include <charconv>
#include <variant>

#include <CLI/CLI.hpp>

#include "consumer/cli/job_flags.h"

namespace waggle::cli {

namespace {

Error invalid(std::string message) { return {ErrorCode::invalid_request, std::move(message)}; }

/// "2" or "1.5": times the first size; "1024x1536": a size.
Result<Hires> parse_hires(const std::string& text) {
  Hires hires;
  double scale = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), scale);
  if (error == std::errc() && end == text.data() + text.size()) {
    hires.scale = scale;
    return hires;
  }
  const auto size = parse_size(text);
  if (!size)
    return invalid("--hires must be a factor or WIDTHxHEIGHT, such as 2 or 1024x1536, is \"" + text + "\"");
  hires.width = size->first;
  hires.height = size->second;
  return hires;
}

Status set_hires(const PassFlags& flags, JobRequest& request) {
  auto* generation = std::get_if<ImageGeneration>(&request.operation);
  if (generation == nullptr)
    return invalid("--hires enlarges what a prompt alone gives; it goes without --init");
  auto hires = parse_hires(*flags.hires);
  if (!hires) return hires.error();
  if (flags.upscaler) {
    const auto upscaler = upscaler_from_name(*flags.upscaler);
    if (!upscaler)
      return invalid(
          "--hires-upscaler must be latent, latent-bicubic, latent-nearest, lanczos or nearest, is \"" +
          *flags.upscaler + "\"");
    hires->upscaler = *upscaler;
  }
  hires->steps = flags.hires_steps;
  hires->strength = flags.hires_strength.value_or(hires->strength);
  generation->hires = *hires;
  return Done{};
}

}  // namespace

void add_pass_flags(CLI::App& app, PassFlags& flags) {
  app.add_option("--hires", flags.hires,
                 "Second pass over the enlarged picture: a factor such as 2, or a size")
      ->type_name("FACTOR|WxH");
  app.add_option("--hires-upscaler", flags.upscaler,
                 "latent (default), latent-bicubic, latent-nearest, lanczos or nearest")
      ->type_name("NAME");
  app.add_option("--hires-steps", flags.hires_steps,
                 "Steps of the second pass's schedule (default: --steps)");
  app.add_option("--hires-strength", flags.hires_strength,
                 "Share of them that is run: how much the second pass changes (default 0.7)");
  app.add_option("--refiner", flags.refiner, "Model that takes over for the last steps, given as --model is");
  app.add_option("--refiner-start", flags.refiner_start,
                 "Share of the way after which the refiner takes over (default 0.8)");
}

Status set_passes(const PassFlags& flags, JobRequest& request) {
  if (!flags.hires && (flags.upscaler || flags.hires_steps || flags.hires_strength))
    return invalid("--hires-upscaler, --hires-steps and --hires-strength need --hires");
  if (!flags.refiner && flags.refiner_start) return invalid("--refiner-start needs --refiner");
  if (flags.refiner) {
    request.refiner.emplace();
    request.refiner->model = *flags.refiner;
    request.refiner->start = flags.refiner_start.value_or(request.refiner->start);
  }
  return flags.hires ? set_hires(flags, request) : Status(Done{});
}

}  // namespace waggle::cli
