// From entries to jobs: choices, grids, seeds, pictures, and every bad field with its path.
#include "consumer/cli/batch/plan.h"

#include <algorithm>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "consumer/cli/batch/grid.h"
#include "consumer/cli/batch/reader.h"
#include "consumer/cli/batch/wildcards.h"
#include "consumer/cli/output_file.h"
#include "consumer/cli/private_folder.h"
#include "pipeline/image/picture.h"

using namespace waggle;
using namespace waggle::cli;
using namespace waggle::cli::batch;

namespace {

Plan plan_of(const std::string& lines, Recipe recipe = {}, InputPictures pictures = InputPictures("")) {
  const Entries read = read_entries(lines, Form::jsonl);
  REQUIRE(read.errors.empty());
  recipe.defaults.push_back({"model", {std::string("sd15")}});
  std::uint64_t next = 1000;
  return make_plan(read.entries, recipe, pictures, [&next] { return next++; });
}

std::string errors_text(const Plan& plan) {
  std::string text;
  for (const Remark& error : plan.errors) text += to_string(error, "f") + "\n";
  return text;
}

std::vector<std::string> prompts(const Plan& plan) {
  std::vector<std::string> all;
  for (const PlannedJob& job : plan.jobs) all.push_back(job.request.prompt);
  return all;
}

std::vector<codec::Object> grid_of(const std::vector<std::string>& texts) {
  std::vector<Axis> axes;
  for (const std::string& text : texts) axes.push_back(parse_axis(text).value());
  return combinations(axes, 1000).value();
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("choices: every combination, nested ones too, and braces that are none") {
  CHECK(all_choices("a fox", 10) == Texts{"a fox"});
  CHECK(all_choices("a {red|green} {fox|bee}", 10) ==
        Texts{"a red fox", "a red bee", "a green fox", "a green bee"});
  CHECK(all_choices("{a|{b|c} d|}", 10) == Texts{"a", "b d", "c d", ""});
  CHECK(all_choices("a {red} fox } | {", 10) == Texts{"a {red} fox } | {"});
  CHECK(all_choices("a \\{red\\|green\\} fox", 10) == Texts{"a {red|green} fox"});
  CHECK(all_choices("{never|closed", 10) == Texts{"{never|closed"});
  CHECK(all_choices("{a|b}{a|b}{a|b}{a|b}", 5).size() == 5);
  CHECK(all_choices(std::string(5000, '{'), 10).size() == 1);
  int drawn = 0;
  CHECK(random_choice("a {red|green} {x|y|z}", [&drawn](std::size_t below) { return ++drawn, below - 1; }) ==
        "a green z");
  CHECK(drawn == 2);
}

TEST_CASE("grid: axes multiply, and a value with a comma stands in quotes") {
  CHECK(grid_of({}).size() == 1);
  CHECK(grid_of({"sampler=euler,ddim", "guidance=5,7.5"}).size() == 4);
  CHECK(parse_axis("negative=\"blur, fog\",none").value().values == Texts{"blur, fog", "none"});
  for (const char* bad : {"sampler", "=a", "sampler=", "steps=1,,2", "negative=\"open"}) {
    INFO(bad);
    CHECK_FALSE(parse_axis(bad));
  }
  CHECK_FALSE(combinations({{"cfg", {"1"}}, {"guidance", {"2"}}}, 10));
  CHECK_FALSE(combinations({{"steps", {"1", "2", "3"}}, {"seed", {"1", "2", "3"}}}, 8));
  CHECK_FALSE(combinations({{"size", {"large"}}}, 8));
}

TEST_CASE("plan: a job for every combination, with one seed for those of a grid") {
  Recipe recipe;
  recipe.grid = grid_of({"sampler=euler,ddim", "steps=5,10"});
  const Plan plan =
      plan_of("{\"prompt\":\"a {red|green} fox\"}\n{\"prompt\":\"bee\",\"seed\":7,\"steps\":3}\n", recipe);
  CHECK(errors_text(plan).empty());
  REQUIRE(plan.jobs.size() == 12);
  CHECK(prompts(plan)[3] == "a red fox");
  CHECK(prompts(plan)[4] == "a green fox");
  CHECK(plan.jobs[0].request.seed == plan.jobs[3].request.seed);
  CHECK(plan.jobs[0].request.seed != plan.jobs[4].request.seed);
  CHECK(plan.jobs[8].request.seed == 7);
  CHECK(plan.jobs[1].request.steps == 10);
  CHECK(plan.jobs[2].request.sampler == "ddim");
  CHECK(plan.jobs[8].request.steps == 5);  // the grid goes over the line's own
  for (std::size_t i = 0; i < plan.jobs.size(); ++i) CHECK(plan.jobs[i].index == i);
}

TEST_CASE("plan: a line goes over the defaults, and -1 is no seed") {
  Recipe recipe;
  recipe.defaults = {{"steps", {std::int64_t{4}}}, {"negative_prompt", {std::string("blur")}}};
  const Plan plan =
      plan_of("{\"prompt\":\"a\",\"seed\":-1}\n{\"prompt\":\"b\",\"steps\":9,\"model\":\"sdxl\"}", recipe);
  CHECK(errors_text(plan).empty());
  REQUIRE(plan.jobs.size() == 2);
  CHECK(plan.jobs[0].request.seed == 1000);
  CHECK(plan.jobs[0].request.negative_prompt == "blur");
  CHECK(plan.jobs[1].request.steps == 9);
  CHECK(plan.jobs[1].request.model == "sdxl");
}

TEST_CASE("plan: all bad fields of all lines at once, with line and path") {
  const Plan plan = plan_of(
      "{\"prompt\":\"a\",\"steps\":0,\"width\":513,\"height\":512}\n"
      "{\"promt\":\"b\",\"steps\":\"many\"}\n"
      "{\"prompt\":\"c\",\"strength\":0.5,\"loras\":[{\"path\":\"../x\",\"strenght\":1}]}\n");
  const std::string text = errors_text(plan);
  INFO(text);
  CHECK(text.find("f:1: /steps: must be between 1 and") != std::string::npos);
  CHECK(text.find("f:1: /width: must be a multiple of 8") != std::string::npos);
  CHECK(text.find("f:2: /prompt: is required") != std::string::npos);
  CHECK(text.find("f:2: /promt: is no field of such a job") != std::string::npos);
  CHECK(text.find("f:2: /steps: must be an integer, is a string") != std::string::npos);
  CHECK(text.find("f:3: /strength: is no field") != std::string::npos);
  CHECK(text.find("f:3: /loras/0/strenght: is no field") != std::string::npos);
  CHECK(text.find("f:3: /loras/0/path") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 8);
}

TEST_CASE("plan: pictures by path, relative to the file, and what is none is told") {
  const PrivateFolder folder("waggle-test-");
  const pipeline::Picture grey{8, 8, 3, std::vector<std::uint8_t>(192, 128)};
  REQUIRE(write_atomically(folder.path() / "in.png", pipeline::encode(grey, OutputFormat::png)));
  REQUIRE(write_atomically(folder.path() / "notes.txt", "no picture"));
  const Plan good = plan_of(
      "{\"prompt\":\"a\",\"init\":\"in.png\",\"strength\":0.5}\n"
      "{\"prompt\":\"b\",\"init_image\":\"in.png\",\"mask\":\"in.png\"}\n",
      {}, InputPictures(folder.path()));
  CHECK(errors_text(good).empty());
  REQUIRE(good.jobs.size() == 2);
  CHECK(std::holds_alternative<ImageTransform>(good.jobs[0].request.operation));
  CHECK(std::holds_alternative<ImageInpaint>(good.jobs[1].request.operation));
  CHECK(good.jobs[1].pictures.size() == 1);
  const auto whole = with_pictures(good.jobs[0].request, good.jobs[0].pictures);
  REQUIRE(whole);
  CHECK_FALSE(std::get<ImageTransform>(whole->operation).input_image.is_reference());

  const Plan bad =
      plan_of("{\"prompt\":\"a\",\"init\":\"none.png\"}\n{\"prompt\":\"b\",\"input_image\":\"notes.txt\"}\n",
              {}, InputPictures(folder.path()));
  CHECK(errors_text(bad).find("f:1: /input_image: ") == 0);
  CHECK(errors_text(bad).find("f:2: /input_image: ") != std::string::npos);

  REQUIRE(write_atomically(folder.path() / "in.png", pipeline::encode(grey, OutputFormat::jpeg)));
  const auto changed = with_pictures(good.jobs[0].request, good.jobs[0].pictures);
  REQUIRE_FALSE(changed);
  CHECK(changed.error().message.find("has changed") != std::string::npos);
}

TEST_CASE(
    "plan: what a job leaves out is a column, an axis of a grid, or JSON, and is checked like any field") {
  Recipe recipe;
  recipe.grid = grid_of({"deep_cache=1,3", "guidance_interval=0:1,0.2:0.8"});
  const Plan plan = plan_of("{\"prompt\":\"a\",\"token_merging\":0.5}\n", recipe);
  CHECK(errors_text(plan).empty());
  REQUIRE(plan.jobs.size() == 4);
  CHECK(plan.jobs[0].request.deep_cache == 1);
  CHECK(plan.jobs[3].request.deep_cache == 3);
  CHECK(plan.jobs[3].request.guidance_interval == Interval{0.2, 0.8});
  CHECK(plan.jobs[3].request.token_merging == 0.5);
  CHECK(errors_text(plan_of("{\"prompt\":\"a\",\"guidance_interval\":[0,2],\"deep_cache\":0}\n")) ==
        "f:1: /guidance_interval/1: must be between 0 and 1, is 2\n"
        "f:1: /deep_cache: must be between 1 and 20, is 0\n");
}

TEST_CASE("plan: more jobs than a run may have are refused, not made") {
  Recipe recipe;
  recipe.most_jobs = 10;
  const Plan plan = plan_of("{\"prompt\":\"{a|b}{a|b}{a|b}{a|b}\"}\n{\"prompt\":\"{a|b}\"}", recipe);
  CHECK(plan.jobs.size() == 10);
  CHECK(errors_text(plan) == "f:1: more than 10 jobs\n");
}
