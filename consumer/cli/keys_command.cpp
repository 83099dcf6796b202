// `waggle keys`: CURVE key pairs for a queen and its clients, and the allow-list that the queen reads. Never
// overwrites a key: losing one locks a machine out.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include <CLI/CLI.hpp>
#include <sys/stat.h>

#include "consumer/bus/bus.h"
#include "consumer/cli/command.h"
#include "consumer/cli/output_file.h"
#include "schemas/ids.h"

namespace waggle::cli {
namespace {

namespace fs = std::filesystem;

struct Flags {
  fs::path folder = "keys";
  std::vector<std::string> clients;
};

Error already_there(const fs::path& file) {
  return {ErrorCode::invalid_request, file.string() + " exists already; keys are never overwritten"};
}

/// One pair as a file that only its owner can read. The public half comes back.
Result<std::string> make_key_file(const fs::path& file, const std::string& owner) {
  if (fs::exists(file)) return already_there(file);
  const bus::KeyPair pair = bus::make_key_pair();
  std::string text = "# CURVE key pair of " + owner + "; keep the secret line secret\n";
  text += "public " + pair.public_key + "\nsecret " + pair.secret_key + "\n";
  if (auto written = write_atomically(file, text); !written) return std::move(written).error();
  return pair.public_key;
}

/// The queen's pair, made once; a second call adds clients to the same folder.
Status make_queen(const fs::path& folder) {
  if (fs::exists(folder / "queen.key")) return Done{};
  auto key = make_key_file(folder / "queen.key", "the queens");
  if (!key) return std::move(key).error();
  return write_atomically(folder / "queen.pub", "public " + *key + "\n");
}

Status make_clients(const Flags& flags) {
  std::string allowed;
  for (const auto& name : flags.clients) {
    if (!is_valid_worker_id(name))
      return Error{ErrorCode::invalid_request, "a client's name has 1 to 64 characters of A-Z a-z 0-9 . _ -"};
    if (fs::exists(flags.folder / (name + ".key"))) return already_there(flags.folder / (name + ".key"));
  }
  for (const auto& name : flags.clients) {
    auto key = make_key_file(flags.folder / (name + ".key"), name);
    if (!key) return std::move(key).error();
    allowed += "# " + name + "\npublic " + *key + "\n";
  }
  std::ofstream list(flags.folder / "allowed.keys", std::ios::app);
  if (!(list << allowed << std::flush))
    return Error{ErrorCode::io_error, "cannot write " + (flags.folder / "allowed.keys").string()};
  return Done{};
}

ExitCode run(const Flags& flags, const Terminal& terminal) {
  ::umask(S_IRWXG | S_IRWXO);
  std::error_code error;
  fs::create_directories(flags.folder, error);
  if (error)
    return fail(terminal,
                {ErrorCode::io_error, "cannot make " + flags.folder.string() + ": " + error.message()});
  if (const auto made = make_queen(flags.folder); !made) return fail(terminal, made.error());
  if (const auto made = make_clients(flags); !made) return fail(terminal, made.error());
  const std::string folder = flags.folder.string();
  std::printf("queen:  --curve-key %s/queen.key --curve-allow %s/allowed.keys\n", folder.c_str(),
              folder.c_str());
  for (const auto& name : flags.clients)
    std::printf("%s: --curve-key %s/%s.key --curve-server-key %s/queen.pub\n", name.c_str(), folder.c_str(),
                name.c_str(), folder.c_str());
  return ExitCode::ok;
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("-o,--out", flags->folder, "folder of the keys")->capture_default_str();
  app.add_option("client", flags->clients, "one name per worker, bridge or client machine")->required();
  return [flags](const Terminal& terminal) { return run(*flags, terminal); };
}

}  // namespace

const Command kKeysCommand{"keys", "Make CURVE keys for a queen and its clients",
                           "  waggle keys -o /etc/waggle/keys worker-1 worker-2 bridge me\n"
                           "  waggle keys -o /etc/waggle/keys worker-3      adds one to the same queen\n",
                           attach};

}  // namespace waggle::cli
