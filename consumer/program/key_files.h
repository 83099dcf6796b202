// The CURVE keys of a program, read from the files that its flags name. Makes no keys and opens no socket.
//
// A key file is text: lines "public <40 characters of Z85>" and, in one's own file, "secret <...>"; '#'
// starts a comment. The allow-list holds one "public" line per client; "unlimited" after the key frees it of
// the queen's rate limit: a bridge, which limits its clients itself.
#pragma once

#include <filesystem>
#include <optional>

#include "consumer/bus/bus.h"
#include "schemas/result.h"

namespace CLI {
class App;
}

namespace waggle::program {

struct KeyFiles {
  std::filesystem::path own;     ///< key pair of this process; empty: plain sockets
  std::filesystem::path server;  ///< clients: the queen's public key
  std::filesystem::path allow;   ///< queens: the clients that may connect
};

/// --curve-key, and --curve-server-key (clients) or --curve-allow (queens).
void add_client_key_flags(CLI::App& flags, KeyFiles& files);
void add_server_key_flags(CLI::App& flags, KeyFiles& files);

/// Nothing when no key file is named. Errors: io_error and invalid_request, naming the file.
Result<std::optional<bus::Security>> read_keys(const KeyFiles& files);

}  // namespace waggle::program
