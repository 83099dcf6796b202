// Looking LoRA files up, building models with them, giving models up.
#include "pipeline/engine/model_variants.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "pipeline/adapters/merged_weights.h"
#include "pipeline/engine/failure.h"
#include "schemas/validate.h"

namespace waggle::pipeline {
namespace {

namespace fs = std::filesystem;

std::string pointer(std::size_t place) { return "/loras/" + std::to_string(place) + "/path"; }

bool changes_text(const LoraFile& file) {
  return std::ranges::any_of(file.layers(),
                             [](const auto& entry) { return entry.first.first != AdapterPart::unet; });
}

std::string exact(double number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

bool same_model(const std::weak_ptr<const LoadedModel>& a, const std::shared_ptr<const LoadedModel>& b) {
  return !a.owner_before(b) && !b.owner_before(a);
}

}  // namespace

ModelVariants::ModelVariants(fs::path lora_dir, ModelShelf& shelf, Log log,
                             std::shared_ptr<ContentHashes> hashes)
    : folder_(std::move(lora_dir)), shelf_(shelf), log_(std::move(log)), hashes_(std::move(hashes)) {}

Result<std::shared_ptr<const LoadedModel>> ModelVariants::get(const std::shared_ptr<const LoadedModel>& base,
                                                              const std::vector<Lora>& loras) {
  auto recipe = recipe_of(loras);
  if (!recipe) return std::move(recipe).error();
  if (recipe->empty()) return base;
  if (auto known = find(base, *recipe)) return known;
  try {
    shelf_.make_room(base->bytes);
    auto built = build(*base, *recipe);
    shelf_.put(built);
    const std::lock_guard lock(mutex_);
    known_.push_back({base, std::move(*recipe), built});
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
    const auto file = folder_.file(name);
    if (!file)
      return Error{ErrorCode::unknown_adapter,
                   "there is no such LoRA",
                   {{pointer(place), "is not in the LoRA folder"}}};
    try {
      if (strength != 0.0) recipe.push_back({*file, hashes_->of(*file), strength, place});
    } catch (const LoadError& error) {
      return invalid_request({{pointer(place), error.what()}});
    }
  }
  // One order for every order of the list, so that equal sets give equal bits.
  std::ranges::sort(recipe, [](const Ingredient& a, const Ingredient& b) {
    return std::tie(a.content, a.strength) < std::tie(b.content, b.strength);
  });
  return recipe;
}

std::shared_ptr<const LoadedModel> ModelVariants::find(const std::shared_ptr<const LoadedModel>& base,
                                                       const Recipe& recipe) {
  std::shared_ptr<const LoadedModel> model;
  std::vector<std::shared_ptr<const LoadedModel>> orphans;  // nobody can ask for them any longer
  {
    const std::lock_guard lock(mutex_);
    for (const Variant& variant : known_)
      if (variant.base.expired())
        if (auto orphan = variant.model.lock()) orphans.push_back(std::move(orphan));
    std::erase_if(known_,
                  [](const Variant& variant) { return variant.base.expired() || variant.model.expired(); });
    const auto found = std::ranges::find_if(known_, [&](const Variant& variant) {
      return same_model(variant.base, base) &&
             std::ranges::equal(variant.recipe, recipe,
                                [](const Ingredient& a, const Ingredient& b) { return a.same(b); });
    });
    if (found != known_.end()) model = found->model.lock();
  }
  for (const auto& orphan : orphans) shelf_.drop(orphan);
  if (model) shelf_.put(model);
  return model;
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
      std::make_shared<LoadedModel>(LoadedModel{base.description, base.files, base.operations, {}, ""});
  variant->text_identity = base.text_identity;
  variant->bytes = base.bytes;
  for (std::size_t i = 0; i < recipe.size(); ++i)
    if (changes_text(*stack->loras()[i].file))
      variant->text_identity += '+' + recipe[i].content + '*' + exact(recipe[i].strength);
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

void ModelVariants::forget(const std::shared_ptr<const LoadedModel>& base) {
  std::vector<std::shared_ptr<const LoadedModel>> made_of_it;
  {
    const std::lock_guard lock(mutex_);
    for (const Variant& variant : known_)
      if (same_model(variant.base, base))
        if (auto model = variant.model.lock()) made_of_it.push_back(std::move(model));
    std::erase_if(known_, [&](const Variant& variant) { return same_model(variant.base, base); });
  }
  for (const auto& model : made_of_it) shelf_.drop(model);
}

std::size_t ModelVariants::kept() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(known_, [](const Variant& variant) { return !variant.model.expired(); }));
}

}  // namespace waggle::pipeline
