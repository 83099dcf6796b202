// Where Redis is, from a URL. User and password may be percent-encoded.
#include <algorithm>
#include <charconv>

#include "consumer/ledger/ledger.h"

namespace waggle::ledger {
namespace {

Error bad_url(std::string message) {
  return {ErrorCode::invalid_request, "not a Redis URL: " + std::move(message)};
}

bool parse_number(std::string_view text, int most, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 0 && number <= most;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = static_cast<unsigned char>(text[i]);
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
      if (error != std::errc() || end != text.data() + i + 3) return std::nullopt;
      i += 2;
    }
    decoded += static_cast<char>(byte);
  }
  return decoded;
}

/// "user:password", ":password" or "password".
bool parse_credentials(std::string_view text, Options& options) {
  const std::size_t colon = text.find(':');
  const auto user = percent_decoded(colon == std::string_view::npos ? "" : text.substr(0, colon));
  const auto password = percent_decoded(colon == std::string_view::npos ? text : text.substr(colon + 1));
  if (!user || !password) return false;
  options.username = *user;
  options.password = *password;
  return true;
}

Result<Options> parse_unix(std::string_view rest) {
  Options options;
  const std::size_t question = rest.find('?');
  options.unix_socket = rest.substr(0, question);
  if (!rest.starts_with('/')) return bad_url("a socket's path is absolute");
  if (question == std::string_view::npos) return options;
  const std::string_view query = rest.substr(question + 1);
  if (!query.starts_with("db=") || !parse_number(query.substr(3), 1'000'000, options.database)) {
    return bad_url("after the path only ?db=<number> may follow");
  }
  return options;
}

/// "host", "host:port", "[v6]" or "[v6]:port". Nothing said of the port leaves it alone.
Status parse_address(std::string_view text, Address& address) {
  std::string_view host = text, port;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return bad_url("an IPv6 address ends in ]");
    host = text.substr(1, bracket - 1);
    const std::string_view rest = text.substr(bracket + 1);
    if (!rest.empty() && !rest.starts_with(':')) return bad_url("a port follows a colon");
    port = rest.empty() ? rest : rest.substr(1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (host.empty()) return bad_url("the host is missing");
  address.host = host;
  if (!port.empty() && (!parse_number(port, 65535, address.port) || address.port == 0)) {
    return bad_url("the port is between 1 and 65535");
  }
  return Done{};
}

/// Takes "/db" off the end, and "credentials@" off the beginning.
Status parse_frame(std::string_view& rest, Options& options) {
  const std::size_t host_at = rest.rfind('@') == std::string_view::npos ? 0 : rest.rfind('@');
  if (const std::size_t slash = rest.find('/', host_at); slash != std::string_view::npos) {
    const std::string_view database = rest.substr(slash + 1);
    if (!database.empty() && !parse_number(database, 1'000'000, options.database)) {
      return bad_url("the database is a number");
    }
    rest = rest.substr(0, slash);
  }
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    if (!parse_credentials(rest.substr(0, at), options)) return bad_url("broken percent-encoding");
    rest = rest.substr(at + 1);
  }
  return Done{};
}

Result<Options> parse_sentinel(std::string_view rest) {
  constexpr std::string_view kMaster = "?master=";
  constexpr int kSentinelPort = 26379;
  Options options;
  const std::size_t question = rest.rfind(kMaster);
  if (question == std::string_view::npos) return bad_url("?master=<name> must follow the Sentinels");
  const auto name = percent_decoded(rest.substr(question + kMaster.size()));
  if (!name || name->empty()) return bad_url("the master's name is missing");
  options.master_name = *name;
  rest = rest.substr(0, question);
  if (auto frame = parse_frame(rest, options); !frame) return std::move(frame).error();
  while (true) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    Address sentinel{{}, kSentinelPort};
    if (auto read = parse_address(rest.substr(0, comma), sentinel); !read) return std::move(read).error();
    options.sentinels.push_back(std::move(sentinel));
    if (comma == rest.size()) return options;
    rest = rest.substr(comma + 1);
  }
}

}  // namespace

Result<Options> parse_redis_url(std::string_view url) {
  constexpr std::string_view kTcp = "redis://", kUnix = "unix://", kSentinel = "redis-sentinel://";
  if (url.starts_with(kUnix)) return parse_unix(url.substr(kUnix.size()));
  if (url.starts_with(kSentinel)) return parse_sentinel(url.substr(kSentinel.size()));
  if (!url.starts_with(kTcp)) return bad_url("it starts with redis://, redis-sentinel:// or unix://");
  std::string_view rest = url.substr(kTcp.size());
  Options options;
  if (auto frame = parse_frame(rest, options); !frame) return std::move(frame).error();
  Address address{{}, options.port};
  if (auto read = parse_address(rest, address); !read) return std::move(read).error();
  options.host = std::move(address.host);
  options.port = address.port;
  return options;
}

}  // namespace waggle::ledger
