// Shares of a schedule to evaluations of a run.
#include "pipeline/engine/shortcuts.h"

namespace waggle::pipeline {

Shortcuts Shortcuts::of(const JobRequest& request, int before, int here, int all) {
  Shortcuts out;
  out.deep_every = request.deep_cache.value_or(1);
  out.merged = request.token_merging.value_or(0.0);
  if (!request.guidance_interval) return out;
  const auto share = [&](int evaluation) { return static_cast<double>(before + evaluation) / all; };
  out.guided_from = 0;
  while (out.guided_from < here && share(out.guided_from) < request.guidance_interval->from)
    ++out.guided_from;
  out.guided_to = out.guided_from;
  while (out.guided_to < here && share(out.guided_to) < request.guidance_interval->to) ++out.guided_to;
  return out;
}

}  // namespace waggle::pipeline
