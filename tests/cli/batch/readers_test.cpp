// Files of prompts as people and spreadsheets write them, and everything that is wrong with them at once.
#include <string>

#include <catch2/catch.hpp>

#include "consumer/cli/batch/csv.h"
#include "consumer/cli/batch/job_fields.h"
#include "consumer/cli/batch/prompt_line.h"
#include "consumer/cli/batch/reader.h"
#include "schemas/codec/json_text.h"

using namespace waggle;
using namespace waggle::cli::batch;

namespace {

std::string json(const codec::Object& fields) { return codec::write_json({fields}); }

std::string entries_text(const Entries& read) {
  std::string text;
  for (const Entry& entry : read.entries)
    text += std::to_string(entry.line) + " " + json(entry.fields) + "\n";
  return text;
}

std::string errors_text(const Entries& read) {
  std::string text;
  for (const Remark& error : read.errors) text += to_string(error, "file") + "\n";
  return text;
}

}  // namespace

TEST_CASE("text: a prompt a line, blank lines and comments passed over") {
  const Entries read = read_entries(
      "\xEF\xBB\xBF"
      "a fox\r\n\r\n  # a note\n  a bee, red-and-black -- striped \n",
      Form::text);
  CHECK(errors_text(read).empty());
  CHECK(entries_text(read) ==
        "1 {\"prompt\":\"a fox\"}\n4 {\"prompt\":\"a bee, red-and-black -- striped\"}\n");
}

TEST_CASE("text: the flags of AUTOMATIC1111's prompts from file") {
  const auto fields = [](const char* line) {
    const PromptLine parsed = parse_prompt_line(line);
    CHECK(parsed.errors.empty());
    return json(parsed.fields);
  };
  CHECK(
      fields(
          R"(--prompt "photo of sunset" --negative_prompt "orange, pink" --width 1024 --height 768 --steps 10)") ==
      R"({"prompt":"photo of sunset","negative_prompt":"orange, pink","width":1024,"height":768,"steps":10})");
  CHECK(fields("--prompt photo of winter mountains --cfg_scale 10.5 --sampler_name \"DPM++ 2M Karras\"") ==
        R"({"prompt":"photo of winter mountains","guidance_scale":10.5,"sampler":"DPM++ 2M Karras"})");
  CHECK(fields("a fox's tail --seed 7 --batch_size 2 --n_iter 3") ==
        R"({"prompt":"a fox's tail","seed":7,"n":6})");
  CHECK(fields("--prompt 'one \"two\"' --sampler_name Euler a") ==
        R"({"prompt":"one \"two\"","sampler":"Euler a"})");
  CHECK(fields("--prompt \"say \\\"hi\\\"\"") == R"({"prompt":"say \"hi\""})");
}

TEST_CASE("text: flags that mean nothing here are told, flags that nobody knows are errors") {
  const PromptLine parsed = parse_prompt_line(
      "--prompt a fox --styles \"Ink\" --restore_faces true --ar 3:2 --steps --batch_size many");
  CHECK(parsed.notes == std::vector<std::string>{"--styles is ignored", "--restore_faces is ignored"});
  REQUIRE(parsed.errors.size() == 3);
  CHECK(parsed.errors[0].find("--ar") == 0);
  CHECK(parsed.errors[1] == "--steps needs a value");
  CHECK(parsed.errors[2].find("--batch_size") == 0);
  CHECK(parse_prompt_line("--prompt \"never ends").errors.size() == 1);
}

TEST_CASE("csv: quotes, doubled quotes, line ends inside cells, CRLF and a byte order mark") {
  const Entries read = read_entries(
      "\xEF\xBB\xBFprompt,steps,guidance,negative\r\n"
      "\"a \"\"big\"\" fox, red\",20,7.5,\r\n"
      "\"two\r\nlines\",,,\"blur, fog\"\r\n\r\n"
      "007,5,,\r\n",
      Form::csv);
  CHECK(errors_text(read).empty());
  CHECK(entries_text(read) ==
        "2 {\"prompt\":\"a \\\"big\\\" fox, red\",\"steps\":20,\"guidance_scale\":7.5}\n"
        "3 {\"prompt\":\"two\\nlines\",\"negative_prompt\":\"blur, fog\"}\n"
        "6 {\"prompt\":\"007\",\"steps\":5}\n");
}

TEST_CASE("csv: other separators, LoRAs, sizes and lists in cells") {
  const Entries read = read_entries(
      "prompt;size;lora;loras\nfox;512x768;ink:0.8, pencil;\nbee;;;\"[{\"\"path\"\":\"\"x\"\"}]\"\n",
      Form::csv);
  CHECK(errors_text(read).empty());
  CHECK(entries_text(read) ==
        "2 {\"prompt\":\"fox\",\"width\":512,\"height\":768,\"loras\":[{\"path\":\"ink\",\"strength\":0.8},"
        "{\"path\":\"pencil\",\"strength\":1}]}\n"
        "3 {\"prompt\":\"bee\",\"loras\":[{\"path\":\"x\"}]}\n");
  CHECK(entries_text(read_entries("prompt\tseed\nfox\t3\n", Form::csv)) ==
        "2 {\"prompt\":\"fox\",\"seed\":3}\n");
}

TEST_CASE("csv: a guidance interval is two shares with a colon, or a list") {
  CHECK(entries_text(read_entries("prompt;guidance_interval\na;0.25:0.75\nb;[0.5,1]\n", Form::csv)) ==
        "2 {\"prompt\":\"a\",\"guidance_interval\":[0.25,0.75]}\n"
        "3 {\"prompt\":\"b\",\"guidance_interval\":[0.5,1]}\n");
  CHECK(errors_text(read_entries("prompt;guidance_interval\na;early\n", Form::csv)).find("must be FROM:TO") !=
        std::string::npos);
}

TEST_CASE("csv: all mistakes are told, each with its line") {
  const Entries read = read_entries("prompt,size,\nfox,large,\na,b,c,d\n\"open\nnever,ends", Form::csv);
  CHECK(errors_text(read) ==
        "file:4: a quoted cell begins here and never ends\n"
        "file:1: column 3 has no heading\n"
        "file:2: /size: must be WIDTHxHEIGHT, such as 512x768\n"
        "file:3: has 4 cells, the headings 3\n");
  CHECK(errors_text(read_entries("a fox\na bee\n", Form::csv)).find("headings") != std::string::npos);
}

TEST_CASE("jsonl: any field of a job, and its other names") {
  const Entries read = read_entries(
      "{\"prompt\":\"fox\",\"cfg\":5,\"size\":\"64x64\"}\n\n{\"prompt\":\"bee\",\"hires\":{\"scale\":2}}",
      Form::jsonl);
  CHECK(errors_text(read).empty());
  CHECK(entries_text(read) ==
        "1 {\"prompt\":\"fox\",\"guidance_scale\":5,\"width\":64,\"height\":64}\n"
        "3 {\"prompt\":\"bee\",\"hires\":{\"scale\":2}}\n");
}

TEST_CASE("jsonl: every line that is no object is told") {
  const Entries read = read_entries("{\"prompt\":\n[1]\n{\"prompt\":\"fox\"}\n\"fox\"\n", Form::jsonl);
  CHECK(read.entries.size() == 1);
  REQUIRE(read.errors.size() == 3);
  CHECK(to_string(read.errors[0], "f").starts_with("f:1: not JSON at byte"));
  CHECK(read.errors[1].line == 2);
  CHECK(read.errors[2].line == 4);
}

TEST_CASE("a file's form: by its ending, else by how it begins") {
  CHECK(guess_form("a.JSONL", "") == Form::jsonl);
  CHECK(guess_form("a.tsv", "") == Form::csv);
  CHECK(guess_form("a.txt", "{\"prompt\":\"x\"}") == Form::text);
  CHECK(guess_form("", " {\"prompt\":\"x\"}") == Form::jsonl);
  CHECK(guess_form("", "{red|green} fox") == Form::text);
  CHECK(guess_form("", "") == Form::text);
}

TEST_CASE("bytes that are not UTF-8 are told with their line") {
  const Entries read = read_entries("a fox\na b\xFF\n", Form::text);
  CHECK(errors_text(read) == "file:2: is not UTF-8 text\n");
  CHECK(read.entries.empty());
}
