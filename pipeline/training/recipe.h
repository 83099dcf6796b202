// What the demo model is: the shapes of its parts and the noise it is trained with, as the configurations
// that a diffusers folder carries.
#pragma once

#include <cstdint>

#include <nlohmann/json.hpp>

namespace waggle::training {

inline constexpr int kSide = 128;       ///< pixels of a training picture's side
inline constexpr double kGuidance = 2;  ///< as much as the shapes bear
inline constexpr int kLatentSide = 16;  ///< kSide over the autoencoder's factor
inline constexpr std::int64_t kTextLength = 77;

/// config.json of each part. The configuration of the VAE carries the scaling factor that its latents came
/// out with.
nlohmann::json vae_config(double scaling_factor);
nlohmann::json unet_config();
nlohmann::json text_config(std::int64_t vocabulary, std::int32_t begin, std::int32_t end);
nlohmann::json scheduler_config();
nlohmann::json model_index();

}  // namespace waggle::training
