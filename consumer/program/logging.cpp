// spdlog to stderr, as text for people or as one JSON object a line for a log collector.
#include <memory>
#include <string>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "consumer/program/program.h"

namespace waggle::program {
namespace {

/// The message as the inside of a JSON string. Bytes that are not UTF-8 cannot come here: what arrives from
/// outside is checked before it is logged.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    static constexpr char kDigits[] = "0123456789abcdef";
    const auto append = [&out](std::string_view text) { out.append(text.data(), text.data() + text.size()); };
    for (const char c : message.payload) {
      switch (c) {
        case '"':
          append("\\\"");
          break;
        case '\\':
          append("\\\\");
          break;
        case '\n':
          append("\\n");
          break;
        case '\t':
          append("\\t");
          break;
        default:
          if (static_cast<unsigned char>(c) >= 0x20) {
            out.push_back(c);
          } else {
            append("\\u00");
            out.push_back(kDigits[(c >> 4) & 0xf]);
            out.push_back(kDigits[c & 0xf]);
          }
      }
    }
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

}  // namespace

void set_up_logging(std::string_view program, const Logging& logging) {
  const std::string name(program);
  std::shared_ptr<spdlog::logger> logger;
  if (logging.json) {
    logger = std::make_shared<spdlog::logger>(name, std::make_shared<spdlog::sinks::stderr_sink_mt>());
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    formatter->add_flag<JsonMessage>('*').set_pattern(
        R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","program":"%n","message":"%*"})");
    logger->set_formatter(std::move(formatter));
  } else {
    logger = std::make_shared<spdlog::logger>(name, std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %n: %v", spdlog::pattern_time_type::utc);
  }
  logger->set_level(spdlog::level::from_str(logging.level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace waggle::program
