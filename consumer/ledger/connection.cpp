// Hiredis, and the sorting of Redis's errors into ours.
#include "consumer/ledger/connection.h"

#include <cerrno>
#include <charconv>
#include <utility>

#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/socket.h>

#include "consumer/ledger/sentinel.h"

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
    case REDIS_REPLY_ERROR:
      value.is_error = true;
      [[fallthrough]];
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
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

struct ReplyCloser {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using ReplyPtr = std::unique_ptr<redisReply, ReplyCloser>;

bool is_aborted(const Error& error) { return error.message.starts_with("EXECABORT"); }
bool is_unknown_function(const Error& error) { return error.message.starts_with("ERR Function not found"); }

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

std::string connection_name(std::string_view prefix, std::string_view worker) {
  return std::string(prefix).append("worker:").append(worker);
}

void Connection::interrupt() noexcept {
  interrupted_ = true;
  const std::lock_guard lock(descriptor_guard_);
  if (descriptor_ >= 0) ::shutdown(descriptor_, SHUT_RDWR);
}

void Connection::drop() noexcept {
  {
    const std::lock_guard lock(descriptor_guard_);
    descriptor_ = -1;
  }
  context_.reset();
}

Status Connection::take(redisContext* context) {
  context_.reset(context);
  if (!context_ || context_->err != 0) {
    const std::string why = context_ ? context_->errstr : "no memory";
    drop();
    return unavailable(why);
  }
  {
    const std::lock_guard lock(descriptor_guard_);
    descriptor_ = context_->fd;
  }
  if (interrupted_) {
    drop();
    return unavailable("this program is stopping");
  }
  ++session_;
  redisSetTimeout(context_.get(), to_timeval(options_.command_timeout));
  return Done{};
}

Status Connection::connect() {
  if (interrupted_) return unavailable("this program is stopping");
  const timeval limit = to_timeval(options_.connect_timeout);
  if (!options_.unix_socket.empty()) {
    if (auto taken = take(redisConnectUnixWithTimeout(options_.unix_socket.c_str(), limit)); !taken)
      return taken;
  } else {
    Address master{options_.host, options_.port};
    if (!options_.sentinels.empty()) {
      auto found = ask_sentinels(options_);
      if (!found) return std::move(found).error();
      master = std::move(found).value();
    }
    if (auto taken = take(redisConnectWithTimeout(master.host.c_str(), master.port, limit)); !taken)
      return taken;
    redisEnableKeepAlive(context_.get());
  }
  auto greeted = greet();
  if (!greeted) drop();
  return greeted;
}

Status Connection::greet() {
  const auto say = [this](const Words& words) -> Status {
    auto answer = exchange(words);
    if (answer) return Done{};
    return std::move(answer).error();
  };
  if (!options_.password.empty()) {
    std::vector<std::string_view> words = {"AUTH"};
    if (!options_.username.empty()) words.push_back(options_.username);
    words.push_back(options_.password);
    if (auto status = say(words); !status) return status;
  }
  if (options_.database != 0) {
    if (auto status = say({"SELECT", std::to_string(options_.database)}); !status) return status;
  }
  if (!options_.sentinels.empty()) {
    // A Sentinel that was cut off may still name the old master.
    auto role = exchange({"ROLE"});
    if (!role) return std::move(role).error();
    if (role->at(0).text != "master") return unavailable("it is no master");
  }
  if (!options_.connection_name.empty()) {
    // A Redis that does not allow it only notices later that this worker died.
    const std::string name = connection_name(options_.prefix, options_.connection_name);
    const auto named = say({"CLIENT", "SETNAME", name});
    if (!named && !context_) return named;
    named_ = named.has_value();
  }
  return Done{};
}

Result<Value> Connection::exchange(const Words& words, const Sending& sending) {
  if (sending.ahead.empty()) {
    append(words);
    return receive();
  }
  append({"MULTI"});
  for (const Words& ahead : sending.ahead) append(ahead);
  append(words);
  append({"EXEC"});
  for (std::size_t i = 0; i < sending.ahead.size() + 2; ++i) {
    auto queued = receive();
    if (!context_) return queued;
  }
  auto all = receive();
  if (!all && context_ && is_aborted(all.error())) {
    append(words);
    return receive();
  }
  if (!all) return all;
  Value last = all->items.empty() ? Value{} : std::move(all->items.back());
  if (!last.is_error) return last;
  return failed(last.text);
}

void Connection::append(const Words& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string_view argument : words) {
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
  const ReplyPtr reply(static_cast<redisReply*>(answer));
  if (!reply) {
    timed_out_ = context_->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);
    const std::string why = timed_out_ ? "no answer in time" : context_->errstr;
    // A late answer must not be taken for that of the next command.
    drop();
    return unavailable(why);
  }
  if (reply->type != REDIS_REPLY_ERROR) return to_value(*reply);
  return failed({reply->str, static_cast<std::size_t>(reply->len)});
}

Error Connection::failed(std::string_view answer) {
  Error error = redis_error(answer);
  // After a fail-over the address may lead to another server.
  if (error.code == ErrorCode::unavailable) drop();
  return error;
}

Status Connection::ready() { return context_ ? Status(Done{}) : connect(); }

Result<Value> Connection::command(const Words& words, const Sending& sending) {
  const bool was_connected = context_ != nullptr;
  if (auto status = ready(); !status) return std::move(status).error();
  auto answer = exchange(words, sending);
  // A connection that lay idle while Redis was restarted fails at its first use: once more on a fresh one.
  if (answer || !was_connected || context_ || timed_out_ || !sending.again) return answer;
  if (auto status = connect(); !status) return std::move(status).error();
  return exchange(words, sending);
}

Result<Value> Connection::run(const Script& script, const Words& arguments, const Sending& sending) {
  Words words = {"FCALL", script.function, "1", options_.prefix};
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto answer = command(words, sending);
  if (answer || !is_unknown_function(answer.error())) return answer;
  // Somebody else may have loaded it meanwhile: the same text, so it is replaced without harm.
  if (auto loaded = command({"FUNCTION", "LOAD", "REPLACE", scripts::library}); !loaded) return loaded;
  return command(words, sending);
}

Status Connection::subscribe(std::string_view channel) {
  if (auto status = connect(); !status) return status;
  auto answer = exchange({"SUBSCRIBE", channel});
  if (answer) return Done{};
  drop();
  return std::move(answer).error();
}

std::vector<std::string> Connection::published() {
  std::vector<std::string> messages;
  pollfd readable{descriptor(), POLLIN, 0};
  if (::poll(&readable, 1, 0) <= 0) return messages;
  bool good = redisBufferRead(context_.get()) == REDIS_OK;
  while (good) {
    void* answer = nullptr;
    good = redisGetReplyFromReader(context_.get(), &answer) == REDIS_OK;
    if (answer == nullptr) break;
    const ReplyPtr reply(static_cast<redisReply*>(answer));
    Value value = to_value(*reply);
    if (value.at(0).text == "message") messages.push_back(std::move(value.items.at(2).text));
  }
  if (!good) drop();
  return messages;
}

int Connection::descriptor() const { return context_ ? context_->fd : -1; }

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
    Words words = {"FCALL", script.function, "1", options_.prefix};
    words.insert(words.end(), calls[i].begin(), calls[i].end());
    append(words);
  }
  for (std::size_t i = 1; i < calls.size(); ++i) {
    answers.push_back(context_ ? receive() : unavailable("the connection broke"));
  }
  return answers;
}

}  // namespace waggle::ledger
