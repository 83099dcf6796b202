// Vector files are pretty JSON, so that a change shows as a readable difference.
#include "tests/codec/vectors.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace waggle::codec::test {

namespace {

constexpr std::array<std::string_view, std::variant_size_v<AnyMessage>> kKinds = {
    "request", "reply", "event", "heartbeat", "announcement", "control", "job", "status", "error"};

// Calls `f` with the type of that kind as template argument.
template <class F>
Result<AnyMessage> with_kind(std::string_view kind, F&& f) {
  const auto at = std::find(kKinds.begin(), kKinds.end(), kind);
  if (at == kKinds.end()) throw std::invalid_argument("no such kind: " + std::string(kind));
  const auto wanted = static_cast<std::size_t>(at - kKinds.begin());
  std::optional<Result<AnyMessage>> result;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (void)((I == wanted &&
            (result = f.template operator()<std::variant_alternative_t<I, AnyMessage>>(), true)) ||
           ...);
  }
  (std::make_index_sequence<kKinds.size()>{});
  return *result;
}

struct EncodeJson {
  std::string operator()(const ErrorRecord& record) const { return to_json(record.error); }
  std::string operator()(const auto& value) const { return to_json(value); }
};

struct EncodeMsgpack {
  std::string operator()(const ErrorRecord& record) const { return to_msgpack(record.error); }
  std::string operator()(const JobStatus&) const { return {}; }
  std::string operator()(const auto& value) const { return to_msgpack(value); }
};

template <class T>
Result<AnyMessage> widen(Result<T> result) {
  if (!result) return std::move(result).error();
  return AnyMessage(*std::move(result));
}

}  // namespace

std::string_view kind(const AnyMessage& message) { return kKinds[message.index()]; }

const std::vector<std::string_view>& msgpack_kinds() {
  static const std::vector<std::string_view> kinds = [] {
    std::vector<std::string_view> all(kKinds.begin(), kKinds.end());
    std::erase(all, "status");
    return all;
  }();
  return kinds;
}

std::string encode_json(const AnyMessage& message) { return std::visit(EncodeJson{}, message); }

std::string encode_msgpack(const AnyMessage& message) { return std::visit(EncodeMsgpack{}, message); }

Result<AnyMessage> decode_json(std::string_view kind, std::string_view text) {
  return with_kind(kind, [&]<class T>() { return widen(from_json<T>(text)); });
}

Result<AnyMessage> decode_msgpack(std::string_view kind, std::string_view bytes) {
  return with_kind(kind, [&]<class T>() -> Result<AnyMessage> {
    if constexpr (std::is_same_v<T, JobStatus>) {
      throw std::invalid_argument("a status has no MessagePack of its own");
    } else {
      return widen(from_msgpack<T>(bytes));
    }
  });
}

Vector vector_of(const Sample& sample) {
  return {std::string(kind(sample.value)), sample.name, encode_json(sample.value),
          encode_msgpack(sample.value)};
}

std::filesystem::path file_of(const Vector& vector) {
  return std::filesystem::path(WAGGLE_SCHEMAS_DIR) / "vectors" / (vector.kind + "." + vector.name + ".json");
}

std::string text_of(const Vector& vector) {
  nlohmann::ordered_json file;
  file["kind"] = vector.kind;
  file["name"] = vector.name;
  file["json"] = nlohmann::ordered_json::parse(vector.json);
  if (!vector.msgpack.empty()) file["msgpack_hex"] = to_hex(vector.msgpack);
  return file.dump(2) + "\n";
}

Vector read_vector(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const auto json = nlohmann::ordered_json::parse(stream);
  return {json.at("kind"), json.at("name"), json.at("json").dump(), from_hex(json.value("msgpack_hex", ""))};
}

std::vector<Vector> stored_vectors() {
  std::vector<Vector> all;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(WAGGLE_SCHEMAS_DIR) + "/vectors")) {
    if (entry.path().extension() == ".json") all.push_back(read_vector(entry.path()));
  }
  std::ranges::sort(all, {}, [](const Vector& vector) { return vector.kind + vector.name; });
  return all;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char byte : bytes) {
    hex += kDigits[static_cast<unsigned char>(byte) >> 4];
    hex += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return hex;
}

std::string from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) throw std::invalid_argument("odd number of hexadecimal digits");
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

}  // namespace waggle::codec::test
