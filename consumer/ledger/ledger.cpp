// The Ledger's life, its clock and its figures.
#include "consumer/ledger/ledger.h"

#include "consumer/ledger/implementation.h"

namespace waggle::ledger {

Ledger::Ledger(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Ledger::~Ledger() = default;
Ledger::Ledger(Ledger&&) noexcept = default;
Ledger& Ledger::operator=(Ledger&&) noexcept = default;

void Ledger::interrupt() noexcept { impl_->redis.interrupt(); }

Status Ledger::ping() {
  auto answer = impl_->redis.command({"PING"});
  if (!answer) return std::move(answer).error();
  return Done{};
}

Result<std::int64_t> Ledger::now_ms() {
  auto answer = impl_->redis.command({"TIME"});
  if (!answer) return std::move(answer).error();
  return answer->at(0).number() * 1000 + answer->at(1).number() / 1000;
}

Result<StatsReply> Ledger::stats() {
  auto answer = impl_->redis.run(scripts::stats, {});
  if (!answer) return std::move(answer).error();
  StatsReply stats;
  std::size_t i = 0;
  for (std::int64_t* count : {&stats.queued, &stats.running, &stats.completed, &stats.failed,
                              &stats.cancelled, &stats.expired, &stats.dead, &stats.workers}) {
    *count = answer->at(i++).number();
  }
  stats.queued_bytes = answer->at(8).number() + answer->at(9).number();
  stats.image_bytes = answer->at(10).number();
  stats.images_evicted = answer->at(11).number();
  for (const Value& model : answer->at(12).items) stats.paused.push_back(model.text);
  return stats;
}

Status Ledger::pause(const std::vector<std::string>& models) {
  if (models.empty()) return Done{};
  const std::string& prefix = impl_->redis.options().prefix;
  const std::string key = prefix + "paused";
  std::vector<std::string_view> words = {"SADD", key};
  words.insert(words.end(), models.begin(), models.end());
  // Claims that stand find out when they are made again.
  std::vector<std::string> standing;
  for (const std::string& model : models) standing.push_back(prefix + "standing:" + model);
  Words forget = {"DEL"};
  forget.insert(forget.end(), standing.begin(), standing.end());
  auto answer = impl_->redis.command(words, {.ahead = {forget}});
  if (!answer) return std::move(answer).error();
  return Done{};
}

Status Ledger::resume(const std::vector<std::string>& models) {
  if (models.empty()) return Done{};
  const std::string key = impl_->redis.options().prefix + "paused";
  std::vector<std::string_view> words = {"SREM", key};
  words.insert(words.end(), models.begin(), models.end());
  auto answer = impl_->redis.command(words);
  if (!answer) return std::move(answer).error();
  return Done{};
}

Result<std::vector<std::string>> Ledger::paused() {
  auto answer = impl_->redis.command({"SMEMBERS", impl_->redis.options().prefix + "paused"});
  if (!answer) return std::move(answer).error();
  std::vector<std::string> models;
  for (const Value& model : answer->items) models.push_back(model.text);
  return models;
}

}  // namespace waggle::ledger
