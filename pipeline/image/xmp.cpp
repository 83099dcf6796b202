// One property of one namespace, found by its tags: an XML parser would be the larger risk.
#include "pipeline/image/xmp.h"

#include <array>
#include <utility>

namespace waggle::pipeline::xmp {

namespace {

constexpr std::string_view kBegin =
    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF "
    "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
    "<rdf:Description rdf:about=\"\" xmlns:waggle=\"urn:waggle:1\"><waggle:job>";
constexpr std::string_view kEnd = "</waggle:job></rdf:Description></rdf:RDF></x:xmpmeta>";
constexpr std::string_view kOpen = "<waggle:job>", kClose = "</waggle:job>";

constexpr std::array kEntities{std::pair{'&', std::string_view("&amp;")},
                               std::pair{'<', std::string_view("&lt;")},
                               std::pair{'>', std::string_view("&gt;")}};

}  // namespace

std::string with_job(std::string_view json) {
  std::string packet(kBegin);
  for (const char c : json) {
    std::string_view written(&c, 1);
    for (const auto& [sign, entity] : kEntities) {
      if (c == sign) written = entity;
    }
    packet += written;
  }
  return packet += kEnd;
}

std::optional<std::string> job(std::string_view packet) {
  const std::size_t open = packet.find(kOpen);
  if (open == std::string_view::npos) return std::nullopt;
  packet.remove_prefix(open + kOpen.size());
  const std::size_t close = packet.find(kClose);
  if (close == std::string_view::npos) return std::nullopt;
  packet = packet.substr(0, close);
  std::string text;
  for (std::size_t at = 0; at < packet.size();) {
    std::size_t taken = 1;
    char c = packet[at];
    for (const auto& [sign, entity] : kEntities) {
      if (!packet.substr(at).starts_with(entity)) continue;
      c = sign;
      taken = entity.size();
    }
    text += c;
    at += taken;
  }
  return text;
}

}  // namespace waggle::pipeline::xmp
