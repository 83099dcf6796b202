// Tokens, addresses and their buckets.
#include "consumer/bridge/clients.h"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

#include "consumer/bridge/asio.h"
#include "consumer/bridge/problem.h"

namespace waggle::bridge {
namespace {

/// Takes the same time wherever the texts differ, so that a token cannot be guessed byte by byte.
bool same_secret(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |=
        static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b.empty() ? 1 : b[i % b.size()]);
  }
  return difference == 0;
}

/// What a client said of itself in front of the proxy stands before the last comma, and is not believed.
std::string_view forwarded_for(const HttpRequest& request) {
  std::string_view address;
  for (const auto& [name, value] : request.headers) {
    if (name == "x-forwarded-for") address = value;
  }
  address.remove_prefix(address.rfind(',') + 1);
  while (address.starts_with(' ')) address.remove_prefix(1);
  while (address.ends_with(' ')) address.remove_suffix(1);
  return address;
}

std::string network_of(std::string_view address) {
  boost::system::error_code failure;
  const auto parsed = asio::ip::make_address(std::string(address), failure);
  if (failure || parsed.is_v4()) return std::string(address);
  if (parsed.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, parsed.to_v6()).to_string();
  }
  auto bytes = parsed.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  return asio::ip::address_v6(bytes).to_string();
}

}  // namespace

const Token* token_of(const Settings& settings, const HttpRequest& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view given = request.header("authorization").value_or("");
  if (!given.starts_with(kScheme)) return nullptr;
  const auto found = std::ranges::find_if(settings.tokens, [&](const Token& token) {
    return same_secret(given.substr(kScheme.size()), token.secret);
  });
  return found != settings.tokens.end() ? &*found : nullptr;
}

std::string client_of(const Settings& settings, const HttpRequest& request, std::string_view peer) {
  if (const Token* token = token_of(settings, request)) return "token " + token->secret;
  const std::string_view forwarded = settings.behind_proxy ? forwarded_for(request) : std::string_view();
  return network_of(forwarded.empty() ? peer : forwarded);
}

std::optional<HttpResponse> slow_down(program::RateLimiter& limiter, const Settings& settings,
                                      const HttpRequest& request, std::string_view peer) {
  if (settings.rate_limit <= 0 || (request.method != Method::post && request.method != Method::del)) {
    return std::nullopt;
  }
  const auto wait_s = limiter.refuse(client_of(settings, request, peer), program::RateLimiter::Clock::now());
  if (!wait_s) return std::nullopt;
  return problem(Error{ErrorCode::rate_limited, "too many requests of this client", {}, *wait_s});
}

}  // namespace waggle::bridge
