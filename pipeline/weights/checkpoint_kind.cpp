// Telling the families of original checkpoints apart.
#include "pipeline/weights/checkpoint_kind.h"

#include "pipeline/weights/load_error.h"

namespace waggle::pipeline {

CheckpointKind recognise(const TensorEntries& entries, const std::string& name) {
  using Family = CheckpointKind::Family;
  const auto first = entries.find("model.diffusion_model.input_blocks.0.0.weight");
  if (first == entries.end() || first->second.shape.size() != 4)
    throw LoadError(name +
                    ": holds no Stable Diffusion model under the original names "
                    "(model.diffusion_model.input_blocks.0.0.weight is missing)");
  CheckpointKind kind;
  kind.in_channels = first->second.shape[1];
  if (entries.contains("conditioner.embedders.1.model.ln_final.weight"))
    kind.family = Family::sdxl;
  else if (entries.contains("conditioner.embedders.0.model.ln_final.weight"))
    kind.family = Family::sdxl_refiner;
  else if (entries.contains("cond_stage_model.model.ln_final.weight"))
    kind.family = Family::sd2;
  else if (entries.contains("cond_stage_model.transformer.text_model.final_layer_norm.weight"))
    kind.family = Family::sd1;
  else
    throw LoadError(name + ": holds a UNet but no text encoder that is known");
  return kind;
}

}  // namespace waggle::pipeline
