// One line of a file of prompts: the words alone, or with the --flags of AUTOMATIC1111's "Prompts from file".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schemas/codec/document.h"

namespace waggle::cli::batch {

struct PromptLine {
  codec::Object fields;
  std::vector<std::string> errors;
  std::vector<std::string> notes;  ///< flags that mean nothing here
};

/// A line without a blank and "--" before a letter is a prompt as it stands. Otherwise what comes before the
/// first flag is the prompt, unless --prompt gives it; values are one word, or several in single or double
/// quotes; --prompt and --negative_prompt take all words up to the next flag.
PromptLine parse_prompt_line(std::string_view line);

}  // namespace waggle::cli::batch
