// Choices inside a prompt: "a {red|green} fox" is two prompts. Nested choices work; a brace without a "|" in
// it, and anything after a backslash, stays as it is.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace waggle::cli::batch {

/// Every combination, the last choice changing fastest; one prompt when there is no choice. At most `limit`
/// come back: a result of that size may be cut short.
std::vector<std::string> all_choices(std::string_view prompt, std::size_t limit);

/// One combination. `draw(n)` gives a number below n.
std::string random_choice(std::string_view prompt, const std::function<std::size_t(std::size_t)>& draw);

}  // namespace waggle::cli::batch
