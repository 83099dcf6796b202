// Looking LoRA files up, building models with them, giving models up.
#include "pipeline/engine/model_variants.h"

#include <algorithm>
#include <tuple>

#include "pipeline/adapters/merged_weights.h"
#include "pipeline/engine/failure.h"
#include "schemas/validate.h"

namespace waggle::pipeline {
namespace {

namespace fs = std::filesystem;

std::string pointer(std::size_t place) { return "/loras/" + std::to_string(place) + "/path"; }

/// A name that stays inside the folder, whoever checked it before.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name.find("..") == std::string::npos &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

bool same_model(const std::weak_ptr<const LoadedModel>& a, const std::shared_ptr<const LoadedModel>& b) {
  return !a.owner_before(b) && !b.owner_before(a);
}

}  // namespace

ModelVariants::ModelVariants(fs::path lora_dir, std::int64_t budget_bytes, Log log)
    : lora_dir_(std::move(lora_dir)), budget_bytes_(budget_bytes), log_(std::move(log)) {}

Result<std::shared_ptr<const LoadedModel>> ModelVariants::get(const std::shared_ptr<const LoadedModel>& base,
                                                              const std::vector<Lora>& loras) {
  auto recipe = recipe_of(loras);
  if (!recipe) return std::move(recipe).error();
  if (recipe->empty()) return base;
  if (auto known = find(base, *recipe)) return known;
  try {
    make_room(base->model->bytes());
    auto built = build(*base, *recipe);
    const std::lock_guard lock(mutex_);
    kept_.push_front({base, std::move(*recipe), built});
    return built;
  } catch (const LoraError& error) {
    if (log_) log_(error.what());
    return invalid_request({{pointer(error.place()), error.what()}});
  } catch (...) {
    auto failure = failure_of(std::current_exception());
    if (log_) log_(failure.detail);
    return std::move(failure.error);
  }
}

Result<ModelVariants::Recipe> ModelVariants::recipe_of(const std::vector<Lora>& loras) const {
  Recipe recipe;
  for (std::size_t place = 0; place < loras.size(); ++place) {
    const auto& [name, strength] = loras[place];
    Ingredient found{{}, 0, {}, strength, place};
    std::error_code error = std::make_error_code(std::errc::no_such_file_or_directory);
    if (!lora_dir_.empty() && is_plain_name(name))
      for (const std::string& file : {name, name + ".safetensors"}) {
        found.file = lora_dir_ / file;
        if (found.file.extension() != ".safetensors") continue;
        found.bytes = fs::file_size(found.file, error);
        if (!error) found.modified = fs::last_write_time(found.file, error);
        if (!error) break;
      }
    if (error)
      return Error{ErrorCode::unknown_adapter,
                   "there is no such LoRA",
                   {{pointer(place), "is not in the LoRA folder"}}};
    if (strength != 0.0) recipe.push_back(std::move(found));
  }
  // One order for every order of the list, so that equal sets give equal bits.
  std::ranges::sort(recipe, [](const Ingredient& a, const Ingredient& b) {
    return std::tie(a.file, a.strength) < std::tie(b.file, b.strength);
  });
  return recipe;
}

std::shared_ptr<const LoadedModel> ModelVariants::find(const std::shared_ptr<const LoadedModel>& base,
                                                       const Recipe& recipe) {
  const std::lock_guard lock(mutex_);
  std::erase_if(kept_, [](const Variant& variant) { return variant.base.expired(); });
  const auto found = std::ranges::find_if(kept_, [&](const Variant& variant) {
    return same_model(variant.base, base) &&
           std::ranges::equal(variant.recipe, recipe,
                              [](const Ingredient& a, const Ingredient& b) { return a.same(b); });
  });
  if (found == kept_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, found);
  return kept_.front().model;
}

std::shared_ptr<const LoadedModel> ModelVariants::build(const LoadedModel& base, const Recipe& recipe) const {
  std::vector<StackedLora> loras;
  for (std::size_t i = 0; i < recipe.size(); ++i) {
    try {
      loras.push_back({std::make_shared<const LoraFile>(recipe[i].file), recipe[i].strength});
    } catch (const LoadError& error) {
      throw LoraError(recipe[i].place, error.what());
    }
    if (log_)
      for (const auto& tensor : loras.back().file->unknown())
        log_(loras.back().file->name() + ": tensor " + tensor + " is not used");
  }
  const auto stack = std::make_shared<LoraStack>(std::move(loras));
  auto variant =
      std::make_shared<LoadedModel>(LoadedModel{base.description, base.files, base.operations, {}, {}});
  try {
    // No LoRA touches the VAE.
    variant->model = std::make_unique<const StableDiffusion>(with_loras(base.files, stack), base.operations,
                                                             nullptr, base.model->vae());
  } catch (const LoraError& error) {
    throw LoraError(recipe[error.place()].place, error.what());
  }
  for (std::size_t i = 0; i < recipe.size(); ++i) {
    const LoraFile& file = *stack->loras()[i].file;
    const auto unmatched = stack->unmatched(i);
    if (unmatched.size() == file.layers().size())
      throw LoraError(recipe[i].place,
                      file.name() + ": is for another model; this one has no layer " + unmatched.front());
    if (log_)
      for (const auto& layer : unmatched) log_(file.name() + ": the model has no layer " + layer);
  }
  return variant;
}

void ModelVariants::make_room(std::int64_t bytes) {
  std::list<Variant> given_up;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  std::int64_t total = bytes;
  for (const Variant& variant : kept_) total += variant.model->model->bytes();
  while (!kept_.empty() && total > budget_bytes_) {
    total -= kept_.back().model->model->bytes();
    given_up.splice(given_up.end(), kept_, std::prev(kept_.end()));
  }
}

void ModelVariants::forget(const std::shared_ptr<const LoadedModel>& base) {
  std::list<Variant> given_up;
  const std::lock_guard lock(mutex_);
  for (auto it = kept_.begin(); it != kept_.end();) {
    const auto next = std::next(it);
    if (same_model(it->base, base)) given_up.splice(given_up.end(), kept_, it);
    it = next;
  }
}

std::size_t ModelVariants::kept() const {
  const std::lock_guard lock(mutex_);
  return kept_.size();
}

}  // namespace waggle::pipeline
