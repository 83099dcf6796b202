// A subscription to the worker's channel, and the reading of what lua/submit.lua publishes there.
#include "consumer/ledger/grants.h"

#include <charconv>
#include <optional>
#include <utility>

#include "consumer/ledger/connection.h"
#include "consumer/ledger/reading.h"

namespace waggle::ledger {
namespace {

/// Takes what stands before the first `end` off the text, or nothing when there is none.
std::optional<std::string_view> take(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view word = text.substr(0, at);
  text.remove_prefix(at + 1);
  return word;
}

/// "<token> <id> <attempt> <entry id> <deadline or -> <bytes of the batch key>\n<batch key><request>"
Result<Grants::Grant> read_grant(std::string_view text, const WorkerId& worker) {
  const Error unreadable{ErrorCode::internal, "a grant is unreadable"};
  auto token = take(text, ' ');
  const auto id = take(text, ' '), attempt = take(text, ' '), entry = take(text, ' '),
             deadline = take(text, ' '), size = take(text, '\n');
  if (!size) return unreadable;
  if (token->ends_with('?')) token->remove_suffix(1);  // see Ledger::claim
  std::size_t bytes = 0;
  const auto parsed = std::from_chars(size->data(), size->data() + size->size(), bytes);
  if (parsed.ec != std::errc() || bytes > text.size()) return unreadable;
  Value row;
  for (const std::string_view word :
       {*id, *attempt, text.substr(bytes), text.substr(0, bytes), *entry, std::string_view("0"),
        *deadline == "-" ? std::string_view() : *deadline, std::string_view()}) {
    row.items.emplace_back().text = word;
  }
  auto job = read_claimed(row, worker);
  if (!job) return std::move(job).error();
  return Grants::Grant{std::string(*token), std::move(job).value()};
}

}  // namespace

struct Grants::Impl {
  Impl(Options options, WorkerId worker_id, std::string_view instance)
      : redis(std::move(options)), worker(std::move(worker_id)) {
    channel = redis.options().prefix + "granted:" + worker.value + "#" + std::string(instance);
  }
  Connection redis;
  WorkerId worker;
  std::string channel;
};

Grants::Grants(Options options, WorkerId worker, std::string_view instance)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(worker), instance)) {}
Grants::~Grants() = default;

bool Grants::listen() { return descriptor() >= 0 || impl_->redis.subscribe(impl_->channel).has_value(); }

int Grants::descriptor() const { return impl_->redis.descriptor(); }

std::vector<Grants::Grant> Grants::receive() {
  std::vector<Grant> grants;
  for (const std::string& message : impl_->redis.published()) {
    auto grant = read_grant(message, impl_->worker);
    if (grant) grants.push_back(std::move(grant).value());
  }
  return grants;
}

}  // namespace waggle::ledger
