// The product of entries, choices and combinations, each job read by the codec's own table of fields.
#include "consumer/cli/batch/plan.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "consumer/cli/batch/job_fields.h"
#include "consumer/cli/batch/wildcards.h"
#include "consumer/cli/output_file.h"
#include "schemas/codec/fields.h"
#include "schemas/validate.h"

namespace waggle::cli::batch {

namespace {

using codec::Document;
using codec::Object;

/// Fields that hold a picture, at the top of a job; those of its ControlNets are inside its lists.
constexpr std::string_view kPictureFields[] = {"input_image", "init_image", "mask_image"};

void overlay(Object& under, const Object& over) {
  for (const codec::Member& member : over) {
    if (member.key == "init" || member.key == "input_image" || member.key == "operation") {
      // Another kind of job: the pictures of the one below it mean nothing.
      for (const std::string_view name :
           {"init", "mask", "input_image", "init_image", "mask_image", "operation"})
        remove(under, name);
    }
  }
  for (const codec::Member& member : over) field(under, member.key) = member.value;
}

/// The members of `given` that the codec did not take. A member that says nothing (null, false, an empty
/// list) need not come back.
void find_unknown(const Document& given, const Document& taken, const std::string& at,
                  std::vector<FieldError>& errors) {
  if (const auto* list = given.get_if<codec::Array>()) {
    const auto* same = taken.get_if<codec::Array>();
    for (std::size_t i = 0; same != nullptr && i < std::min(list->size(), same->size()); ++i)
      find_unknown((*list)[i], (*same)[i], at + "/" + std::to_string(i), errors);
    return;
  }
  const auto* object = given.get_if<Object>();
  const auto* same = taken.get_if<Object>();
  if (object == nullptr || same == nullptr) return;
  for (const codec::Member& member : *object) {
    const Document* found = codec::find(*same, member.key);
    const auto* flag = member.value.get_if<bool>();
    const auto* list = member.value.get_if<codec::Array>();
    const bool silent = member.value.is_null() || (flag && !*flag) || (list && list->empty());
    if (found != nullptr) {
      find_unknown(member.value, *found, at + "/" + member.key, errors);
    } else if (!silent) {
      errors.push_back({at + "/" + member.key, "is no field of such a job"});
    }
  }
}

class Planner {
 public:
  Planner(const Recipe& recipe, InputPictures& pictures, const Draw& draw)
      : recipe_(recipe), pictures_(pictures), draw_(draw) {}

  void add(const Entry& entry) {
    Object base = recipe_.defaults;
    overlay(base, entry.fields);
    for (const auto& [prompt, negative] : choices(base)) {
      const std::uint64_t seed = draw_();
      for (const Object& combination : recipe_.grid) {
        if (plan_.jobs.size() >= recipe_.most_jobs) {
          if (!too_many_)
            plan_.errors.push_back(
                {entry.line, "", "more than " + std::to_string(recipe_.most_jobs) + " jobs"});
          too_many_ = true;
          return;
        }
        Object fields = base;
        if (prompt) field(fields, "prompt") = {*prompt};
        if (negative) field(fields, "negative_prompt") = {*negative};
        overlay(fields, combination);
        complete(fields);
        add_job(entry.line, std::move(fields), seed);
      }
    }
  }

  Plan take() { return std::move(plan_); }

 private:
  using Words = std::optional<std::string>;

  std::vector<Words> choices_of(const Object& fields, std::string_view name) {
    const Document* value = codec::find(fields, name);
    const std::string* text = value == nullptr ? nullptr : value->get_if<std::string>();
    if (text == nullptr || recipe_.wildcards == Wildcards::off) return {std::nullopt};
    if (recipe_.wildcards == Wildcards::random)
      return {random_choice(*text, [this](std::size_t below) { return draw_() % below; })};
    std::vector<Words> all;
    for (std::string& choice : all_choices(*text, recipe_.most_jobs + 1)) all.emplace_back(std::move(choice));
    return all;
  }

  std::vector<std::pair<Words, Words>> choices(const Object& fields) {
    std::vector<std::pair<Words, Words>> all;
    const auto negatives = choices_of(fields, "negative_prompt");
    for (const Words& prompt : choices_of(fields, "prompt")) {
      for (const Words& negative : negatives) {
        if (all.size() <= recipe_.most_jobs) all.emplace_back(prompt, negative);
      }
    }
    return all;
  }

  void add_job(int line, Object fields, std::uint64_t seed) {
    PlannedJob job{plan_.jobs.size(), line, {}, {}, {}};
    std::vector<FieldError> errors = refer_to_pictures(fields, job.pictures);
    const Document document{std::move(fields)};
    codec::Findings findings(codec::Notation::json);
    codec::decode(document, codec::Path{}, findings, job.request);
    // The codec looks at ranges itself once something else is wrong.
    for (FieldError& error : findings.empty() ? validate(job.request) : findings.take()) {
      const auto same = [&error](const FieldError& known) { return known.path == error.path; };
      if (std::none_of(errors.begin(), errors.end(), same)) errors.push_back(std::move(error));
    }
    find_unknown(document, codec::encode(job.request), "", errors);
    if (!job.request.seed) {
      constexpr std::uint64_t kSeeds = std::uint64_t{1} << 32;  // as many as other programs know
      job.request.seed = static_cast<std::int64_t>(seed % (kSeeds - 64));
    }
    for (FieldError& error : errors) tell({line, std::move(error.path), std::move(error.message)});
    plan_.jobs.push_back(std::move(job));
  }

  /// One line makes many jobs, whose mistakes are mostly the same.
  void tell(Remark remark) {
    for (auto told = plan_.errors.rbegin(); told != plan_.errors.rend() && told->line == remark.line;
         ++told) {
      if (*told == remark) return;
    }
    plan_.errors.push_back(std::move(remark));
  }

  /// Paths and base64 become digests.
  std::vector<FieldError> refer_to_pictures(Object& fields, PictureSources& sources) {
    std::vector<FieldError> errors;
    const auto refer = [&](Document& value, const std::string& path) {
      const auto* text = value.get_if<std::string>();
      if (text == nullptr || text->starts_with("sha256:")) return;
      auto id = pictures_.find(*text, sources);
      if (!id) errors.push_back({path, id.error().message});
      // A good digest in any case, so that the codec adds nothing to what was said.
      value = {id ? id->value : "sha256:" + std::string(64, '0')};
    };
    for (const std::string_view name : kPictureFields) {
      if (codec::find(fields, name) != nullptr) refer(field(fields, name), "/" + std::string(name));
    }
    for (codec::Member& member : fields) {
      auto* controls = std::get_if<codec::Array>(&member.value.value);
      for (std::size_t i = 0; member.key == "controls" && controls != nullptr && i < controls->size(); ++i) {
        auto* control = std::get_if<Object>(&(*controls)[i].value);
        if (control != nullptr && codec::find(*control, "image") != nullptr)
          refer(field(*control, "image"), "/controls/" + std::to_string(i) + "/image");
      }
    }
    return errors;
  }

  const Recipe& recipe_;
  InputPictures& pictures_;
  const Draw& draw_;
  Plan plan_;
  bool too_many_ = false;
};

std::string text_of(const Document& value) {
  if (const auto* text = value.get_if<std::string>()) return *text;
  if (const auto* number = value.get_if<std::int64_t>()) return std::to_string(*number);
  if (const auto* number = value.get_if<double>()) {
    char digits[32];
    return {digits, std::to_chars(digits, digits + sizeof digits, *number).ptr};
  }
  return {};
}

}  // namespace

Plan make_plan(const std::vector<Entry>& entries, const Recipe& recipe, InputPictures& pictures,
               const Draw& draw) {
  Planner planner(recipe, pictures, draw);
  for (const Entry& entry : entries) planner.add(entry);
  return planner.take();
}

Status name_files(std::vector<PlannedJob>& jobs, const NameTemplate& name, UniqueNames& names) {
  const auto wanted = name.fields();
  std::vector<bool> found(wanted.size());
  for (PlannedJob& job : jobs) {
    const Document document = codec::encode(job.request);
    const Object& fields = *document.get_if<Object>();
    for (int image = 0; image < job.request.n; ++image) {
      const auto value = [&](std::string_view asked) -> std::optional<std::string> {
        if (asked == "index") return std::to_string(job.index);
        if (asked == "line") return std::to_string(job.line);
        if (asked == "image") return std::to_string(image + 1);
        if (asked == "seed") return std::to_string(job.request.seed.value_or(0) + image);
        const Document* member = codec::find(fields, canonical_name(asked));
        return member == nullptr ? std::nullopt : std::optional(text_of(*member));
      };
      for (std::size_t i = 0; i < wanted.size(); ++i) found[i] = found[i] || value(wanted[i]).has_value();
      std::string stem = name.expand(value);
      if (job.request.n > 1 && !name.names("image") && !name.names("seed"))
        stem += "-" + std::to_string(image + 1);
      job.files.push_back(names.next(stem, extension(job.request.output_format)));
    }
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!found[i] && !jobs.empty())
      return Error{
          ErrorCode::invalid_request,
          "--name {" + wanted[i] +
              "}: no job has such a field; index, line, image, seed and a job's own fields are there"};
  }
  return Done{};
}

}  // namespace waggle::cli::batch
