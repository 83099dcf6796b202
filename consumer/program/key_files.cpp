// Reads CURVE key files line by line.
#include "consumer/program/key_files.h"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace waggle::program {
namespace {

constexpr std::size_t kKeyCharacters = 40;  // 32 bytes in Z85

struct Keys {
  std::vector<std::string> public_keys, unlimited_keys;
  std::string secret_key;
};

Result<Keys> read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return Error{ErrorCode::io_error, "cannot read the key file " + path.string()};
  Keys keys;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    std::istringstream words(line);
    std::string word, key, mark;
    if (!(words >> word) || word.starts_with('#')) continue;
    words >> key >> mark;
    if (!mark.empty() && mark != "unlimited" && !mark.starts_with('#')) {
      return Error{ErrorCode::invalid_request, path.string() + " line " + std::to_string(number) +
                                                   ": after a key stands \"unlimited\" or nothing"};
    }
    if ((word != "public" && word != "secret") || key.size() != kKeyCharacters) {
      return Error{ErrorCode::invalid_request, path.string() + " line " + std::to_string(number) +
                                                   ": must be \"public\" or \"secret\" and 40 characters"};
    }
    (word == "public" ? keys.public_keys.emplace_back() : keys.secret_key) = key;
    if (mark == "unlimited") keys.unlimited_keys.push_back(key);
  }
  if (keys.public_keys.empty())
    return Error{ErrorCode::invalid_request, path.string() + ": holds no public key"};
  return keys;
}

}  // namespace

void add_client_key_flags(CLI::App& flags, KeyFiles& files) {
  flags.add_option("--curve-key", files.own, "CURVE: file with the key pair of this program");
  flags.add_option("--curve-server-key", files.server, "CURVE: file with the public key of the queens");
}

void add_server_key_flags(CLI::App& flags, KeyFiles& files) {
  flags.add_option("--curve-key", files.own, "CURVE: file with the key pair of this queen");
  flags.add_option("--curve-allow", files.allow,
                   "CURVE: file with the public keys of the clients that may connect");
}

Result<std::optional<bus::Security>> read_keys(const KeyFiles& files) {
  if (files.own.empty()) {
    if (files.server.empty() && files.allow.empty()) return std::optional<bus::Security>{};
    return Error{ErrorCode::invalid_request, "--curve-key is missing: the other CURVE flags need it"};
  }
  bus::Security security;
  auto own = read_file(files.own);
  if (!own) return std::move(own).error();
  if (own->secret_key.empty()) {
    return Error{ErrorCode::invalid_request, files.own.string() + ": holds no secret key"};
  }
  security.public_key = own->public_keys.front();
  security.secret_key = own->secret_key;
  if (!files.server.empty()) {
    auto server = read_file(files.server);
    if (!server) return std::move(server).error();
    security.server_key = server->public_keys.front();
  }
  if (!files.allow.empty()) {
    auto allow = read_file(files.allow);
    if (!allow) return std::move(allow).error();
    security.allowed_keys = std::move(allow->public_keys);
    security.unlimited_keys = std::move(allow->unlimited_keys);
  }
  return std::optional<bus::Security>(std::move(security));
}

}  // namespace waggle::program
