// Hiredis, and the sorting of Redis's errors into ours.
#include "consumer/ledger/connection.h"

#include <cerrno>
#include <charconv>
#include <utility>

#include <hiredis/hiredis.h>

namespace waggle::ledger {
namespace {

timeval to_timeval(std::chrono::milliseconds time) {
  return {static_cast<time_t>(time.count() / 1000), static_cast<suseconds_t>(time.count() % 1000 * 1000)};
}

Error unavailable(std::string_view why) {
  return {ErrorCode::unavailable, "Redis does not answer: " + std::string(why)};
}

Value to_value(const redisReply& reply) {
  Value value;
  switch (reply.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
      value.text.assign(reply.str, static_cast<std::size_t>(reply.len));
      break;
    case REDIS_REPLY_INTEGER:
      value.integer = reply.integer;
      break;
    case REDIS_REPLY_ARRAY:
      value.items.reserve(reply.elements);
      for (std::size_t i = 0; i < reply.elements; ++i) value.items.push_back(to_value(*reply.element[i]));
      break;
    default:
      value.is_nil = true;
  }
  return value;
}

bool is_no_script(const Error& error) { return error.message.starts_with("NOSCRIPT"); }

/// "READONLY You can't write...": the first word is the kind.
Error redis_error(std::string_view text) {
  const std::string_view kind = text.substr(0, text.find(' '));
  if (kind == "OOM") return {ErrorCode::queue_full, "Redis has no memory left"};
  for (const std::string_view passing : {"LOADING", "READONLY", "MASTERDOWN", "NOREPLICAS", "CLUSTERDOWN",
                                         "MISCONF", "NOAUTH", "WRONGPASS", "BUSY", "TRYAGAIN"}) {
    if (kind == passing) return unavailable(kind);
  }
  return {ErrorCode::internal, std::string(text.substr(0, 200))};
}

}  // namespace

const Value& Value::at(std::size_t i) const {
  static const Value nil{.text = {}, .integer = 0, .items = {}, .is_nil = true};
  return i < items.size() ? items[i] : nil;
}

std::int64_t Value::number() const {
  std::int64_t parsed = integer;
  if (!text.empty()) std::from_chars(text.data(), text.data() + text.size(), parsed);
  return parsed;
}

void Connection::Closer::operator()(redisContext* context) const { redisFree(context); }

Connection::Connection(Options options) : options_(std::move(options)) {}

Status Connection::connect() {
  const timeval limit = to_timeval(options_.connect_timeout);
  context_.reset(options_.unix_socket.empty()
                     ? redisConnectWithTimeout(options_.host.c_str(), options_.port, limit)
                     : redisConnectUnixWithTimeout(options_.unix_socket.c_str(), limit));
  if (!context_ || context_->err != 0) {
    const std::string why = context_ ? context_->errstr : "no memory";
    context_.reset();
    return unavailable(why);
  }
  redisSetTimeout(context_.get(), to_timeval(options_.command_timeout));
  if (options_.unix_socket.empty()) redisEnableKeepAlive(context_.get());

  const auto greet = [this](const std::vector<std::string_view>& words) -> Status {
    auto answer = exchange(words);
    if (answer) return Done{};
    context_.reset();
    return std::move(answer).error();
  };
  if (!options_.password.empty()) {
    std::vector<std::string_view> words = {"AUTH"};
    if (!options_.username.empty()) words.push_back(options_.username);
    words.push_back(options_.password);
    if (auto status = greet(words); !status) return status;
  }
  if (options_.database != 0) return greet({"SELECT", std::to_string(options_.database)});
  return Done{};
}

Result<Value> Connection::exchange(const std::vector<std::string_view>& arguments) {
  append(arguments);
  return receive();
}

void Connection::append(const std::vector<std::string_view>& arguments) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string_view argument : arguments) {
    texts.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  // Into hiredis's buffer; receive() writes it out. It fails for want of memory alone, which receive() sees
  // too.
  redisAppendCommandArgv(context_.get(), static_cast<int>(texts.size()), texts.data(), sizes.data());
}

Result<Value> Connection::receive() {
  timed_out_ = false;
  void* answer = nullptr;
  redisGetReply(context_.get(), &answer);
  const std::unique_ptr<redisReply, decltype(&freeReplyObject)> reply(static_cast<redisReply*>(answer),
                                                                      &freeReplyObject);
  if (!reply) {
    timed_out_ = context_->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);
    const std::string why = timed_out_ ? "no answer in time" : context_->errstr;
    // A late answer must not be taken for that of the next command.
    context_.reset();
    return unavailable(why);
  }
  if (reply->type != REDIS_REPLY_ERROR) return to_value(*reply);
  Error error = redis_error({reply->str, static_cast<std::size_t>(reply->len)});
  // After a fail-over the address may lead to another server.
  if (error.code == ErrorCode::unavailable) context_.reset();
  return error;
}

Result<Value> Connection::command(const std::vector<std::string_view>& arguments) {
  const bool was_connected = context_ != nullptr;
  if (!was_connected) {
    if (auto status = connect(); !status) return std::move(status).error();
  }
  auto answer = exchange(arguments);
  // A connection that lay idle while Redis was restarted fails at its first use: once more on a fresh one.
  if (answer || !was_connected || context_ || timed_out_) return answer;
  if (auto status = connect(); !status) return std::move(status).error();
  return exchange(arguments);
}

Result<Value> Connection::run(const Script& script, const std::vector<std::string_view>& arguments) {
  std::vector<std::string_view> words = {"EVALSHA", script.sha, "1", options_.prefix};
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto answer = command(words);
  if (answer || !is_no_script(answer.error())) return answer;
  words[0] = "EVAL";
  words[1] = script.text;
  return command(words);
}

std::vector<Result<Value>> Connection::run_each(const Script& script,
                                                const std::vector<std::vector<std::string>>& calls) {
  std::vector<Result<Value>> answers;
  if (calls.empty()) return answers;
  // The first alone: it finds the connection and makes the script known, so that the others run in their
  // order.
  answers.push_back(run(script, {calls.front().begin(), calls.front().end()}));
  if (!context_) {
    answers.resize(calls.size(), answers.front());
    return answers;
  }
  for (std::size_t i = 1; i < calls.size(); ++i) {
    std::vector<std::string_view> words = {"EVALSHA", script.sha, "1", options_.prefix};
    words.insert(words.end(), calls[i].begin(), calls[i].end());
    append(words);
  }
  for (std::size_t i = 1; i < calls.size(); ++i) {
    answers.push_back(context_ ? receive() : unavailable("the connection broke"));
  }
  return answers;
}

}  // namespace waggle::ledger
