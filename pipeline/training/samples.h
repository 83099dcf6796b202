// A picture of what the model can do by now, made by the pipeline as a user's would be.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace waggle::training {

/// The prompts of a sample sheet, some with combinations of colour and shape that training never shows.
std::vector<std::string> sample_prompts();

/// Renders each prompt once (seed = its place, 20 steps) with the model in `folder` and writes the pictures
/// side by side as a PNG. Throws std::runtime_error with the pipeline's words when a job fails.
void write_sample_sheet(const std::filesystem::path& folder, const std::vector<std::string>& prompts,
                        int columns, const std::filesystem::path& file);

}  // namespace waggle::training
