// Who a client of the bridge is, and how much it may send: by its bearer token, else by its address. The
// queen sees the bridge as one client, so it is here that one of many is told to slow down.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "consumer/bridge/http.h"
#include "consumer/bridge/settings.h"
#include "consumer/program/rate_limiter.h"

namespace waggle::bridge {

/// The token that the request bears, or nothing. Takes as long for a wrong one as for a right one.
const Token* token_of(const Settings& settings, const HttpRequest& request);

/// Whose requests count together: of whoever bears one token, else of one address. `peer` is the
/// connection's; behind a proxy it is the proxy's, which appends its client's to X-Forwarded-For. Of IPv6 the
/// first 64 bits count: whoever has one address has that many.
std::string client_of(const Settings& settings, const HttpRequest& request, std::string_view peer);

/// 429 for a client above its rate. Only what goes to a queen counts (POST and DELETE): what is read here is
/// bounded by connections.
std::optional<HttpResponse> slow_down(program::RateLimiter& limiter, const Settings& settings,
                                      const HttpRequest& request, std::string_view peer);

}  // namespace waggle::bridge
