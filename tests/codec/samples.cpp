// The samples. Values are fixed for ever: other languages check themselves against the bytes made from them.
#include "tests/codec/samples.h"

namespace waggle::codec::test {

namespace {

const JobId kJob{"01928c4e-7a3b-7c5d-8e9f-0123456789ab"};
const JobId kOtherJob{"01928c4e-7a3c-7000-b000-00000000000f"};
const WorkerId kWorker{"gpu-7.rack_2"};
const RequestId kRequest{"req-42"};
const BlobId kBlob{"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"};
constexpr std::int64_t kNow = 1'732'356'000'123;

Error out_of_memory() { return {ErrorCode::out_of_memory, "the job needs 9.1 GB, 8.0 GB are free", {}, {}}; }

Error bad_fields() {
  return {
      ErrorCode::invalid_request,
      "2 fields are wrong",
      {{"/job/steps", "must be between 1 and 500, is 0"}, {"/job/width", "must be a multiple of 8, is 513"}},
      {}};
}

Error queue_full() { return {ErrorCode::queue_full, "100000 jobs wait", {}, 2.5}; }

JobRequest small_job() {
  JobRequest job;
  job.model = "sd15";
  job.prompt = "a honeycomb, macro photograph";
  return job;
}

JobRequest transform_job() {
  JobRequest job = small_job();
  job.operation = ImageTransform{PictureInput{kBlob}, 0.55, 768, {}};
  return job;
}

JobRequest inpaint_job() {
  JobRequest job = small_job();
  job.has_negative_prompt = true;  // present and empty
  job.operation = ImageInpaint{
      PictureInput{std::string("\x89PNG\r\n\x1a\n\0\xff", 10)}, PictureInput{kBlob}, 1.0, {}, {}};
  return job;
}

JobRequest controlled_job() {
  JobRequest job = small_job();
  job.controls = {{"canny", PictureInput{kBlob}, 0.7, 0.2, 0.6, true}, {"depth", PictureInput{kBlob}}};
  ImageInpaint inpaint{PictureInput{kBlob}, PictureInput{kBlob}, 1.0, {}, {}};
  inpaint.mask_blur = 4.5;
  inpaint.only_masked_padding = 32;
  inpaint.paste_back = true;
  job.vae = "soft.safetensors";
  job.operation = inpaint;
  return job;
}

JobRequest two_pass_job() {
  JobRequest job = small_job();
  job.refiner = Refiner{"sdxl/refiner", 0.75};
  Hires hires;
  hires.width = 1536;
  hires.height = 1024;
  hires.upscaler = Upscaler::lanczos;
  hires.steps = 12;
  hires.strength = 0.35;
  job.operation = ImageGeneration{768, 512, hires};
  return job;
}

JobRequest shortened_job() {
  JobRequest job = small_job();
  job.guidance_interval = Interval{0.125, 0.75};
  job.deep_cache = 3;
  job.token_merging = 0.5;
  return job;
}

ImageInfo image(int index) { return {index, 1234 + index, OutputFormat::webp, 512, 768, 48'213}; }

JobStatus queued_status() {
  JobStatus status;
  status.id = kJob;
  status.model = "sd15";
  status.submitted_at_ms = kNow;
  status.position = 0;
  return status;
}

JobStatus dead_status() {
  JobStatus status = queued_status();
  status.state = JobState::dead;
  status.priority = -3;
  status.tenant = "alice";
  status.attempt = 2;
  status.max_attempts = 2;
  status.worker = kWorker;
  status.started_at_ms = kNow + 10;
  status.finished_at_ms = kNow + 20;
  status.position = {};
  status.eta_s = 1.5;
  status.step = 7;
  status.total_steps = 40;
  status.cancel_requested = true;
  status.images = {image(0), image(1)};
  status.seed = 1234;
  status.error = out_of_memory();
  status.attempts = {{1, kWorker, {ErrorCode::worker_lost, "no heartbeat for 15 s", {}, {}}, kNow + 15},
                     {2, {}, out_of_memory(), kNow + 20}};
  return status;
}

ModelInfo model() { return {"stable-diffusion-v1-5", "sd15", {"sd15", "v1-5"}, true, 4'265'146'304}; }

WorkerInfo worker() {
  WorkerInfo info;
  info.id = kWorker;
  info.state = WorkerState::busy;
  info.version = "0.1.0";
  info.device = "cuda:0";
  info.device_name = "NVIDIA H100";
  info.precision = "bf16";
  info.models = {model(), {"turbo", "turbo", {}, false, 0}};
  info.samplers = {"ddim", "euler", "k_euler"};
  info.schedules = {"karras"};
  info.adapters = {{"ink", "paper.v2"}, {"bad-hands"}, {"soft"}, {"canny"}};
  info.jobs = {kJob, kOtherJob};
  info.capacity = 8;
  info.steps_per_s = 61.25;
  info.memory_used_bytes = 9'000'000'000;
  info.memory_total_bytes = 80'000'000'000;
  info.jobs_done = 1042;
  info.jobs_failed = 3;
  info.started_at_ms = kNow - 3'600'000;
  info.seen_at_ms = kNow;
  info.malformed_messages = 4;
  return info;
}

WorkerInfo new_worker() {
  WorkerInfo info;
  info.id = WorkerId{"w"};
  return info;
}

Event event(EventBody body, int attempt) {
  return {kJob, EventId{"1732356000123-0"}, attempt, kNow, std::move(body)};
}

void add_requests(std::vector<Sample>& all) {
  const auto add = [&](std::string name, RequestBody body) {
    all.push_back({std::move(name), Request{kRequest, std::move(body)}});
  };
  add("submit", SubmitRequest{small_job()});
  add("submit-full", SubmitRequest{full_job()});
  add("submit-many", SubmitManyRequest{{small_job(), transform_job()}});
  add("cancel", CancelRequest{kJob});
  add("status", StatusRequest{kJob});
  add("list", ListRequest{});
  add("list-page", ListRequest{JobState::running, 20, "1732356000123"});
  add("workers", WorkersRequest{});
  add("models", ModelsRequest{});
  add("requeue", RequeueRequest{kJob});
  add("drain", DrainRequest{kWorker});
  add("stats", StatsRequest{});
  add("pause", PauseRequest{"sd15"});
  add("resume", ResumeRequest{"sd15"});
  add("load-model", LoadModelRequest{kWorker, "sdxl/turbo"});
  add("unload-model", UnloadModelRequest{kWorker, "sdxl/turbo"});
}

void add_replies(std::vector<Sample>& all) {
  const auto add = [&](std::string name, ReplyBody body) {
    all.push_back({std::move(name), Reply{kRequest, std::move(body)}});
  };
  add("accepted", Accepted{kJob, 17, false});
  add("accepted-duplicate", Accepted{kJob, 0, true});
  add("rejected-fields", Rejected{bad_fields()});
  add("rejected-queue-full", Rejected{queue_full()});
  all.push_back({"rejected-anonymous",
                 Reply{{}, Rejected{{ErrorCode::malformed_message, "the message is truncated", {}, {}}}}});
  add("accepted-many", AcceptedMany{{Accepted{kJob, 0, false}, Rejected{queue_full()}}});
  add("cancelled", CancelAccepted{kJob, JobState::running});
  add("status", StatusReply{dead_status()});
  add("list", ListReply{{queued_status(), dead_status()}, "1732355999000"});
  add("workers", WorkersReply{{worker(), new_worker()}});
  add("models", ModelsReply{{{model(), {kWorker, WorkerId{"w"}}, true}}, {{"ink"}, {}, {"soft"}, {}}});
  add("requeued", Requeued{kJob});
  add("draining", Draining{kWorker});
  add("stats", StatsReply{12,
                          3,
                          4000,
                          5,
                          6,
                          7,
                          8,
                          2,
                          9,
                          86'400.5,
                          73'400'320,
                          5'368'709'120,
                          11,
                          {"sd15"},
                          "hive-1",
                          12,
                          13,
                          14});
  add("paused", Paused{{"sd15", "stable-diffusion-v1-5"}});
  add("resumed", Resumed{{"sd15", "stable-diffusion-v1-5"}});
  add("told", Told{kWorker});
}

void add_events(std::vector<Sample>& all) {
  const auto add = [&](std::string name, EventBody body, int attempt = 1) {
    all.push_back({std::move(name), event(std::move(body), attempt)});
  };
  add("queued", QueuedEvent{4}, 0);
  all.push_back({"queued-unnumbered", Event{kJob, {}, 0, kNow, QueuedEvent{0}}});
  add("started", StartedEvent{kWorker});
  add("progress", ProgressEvent{7, 40, 17.5});
  add("preview", PreviewEvent{10, 40, 1, OutputFormat::jpeg, std::string("\xff\xd8\xff\xe0\0\x10JFIF", 10)});
  add("completed", CompletedEvent{{image(0), image(1)}, 1234, 3.75});
  add("failed", FailedEvent{{ErrorCode::unknown_adapter, "no such LoRA: bees.safetensors", {}, {}}});
  add("cancelled", CancelledEvent{});
  add("retried", RetriedEvent{out_of_memory(), 2, 1.5});
  add("expired", ExpiredEvent{}, 0);
  add("dead", DeadEvent{out_of_memory()}, 3);
}

std::vector<Sample> make_samples() {
  std::vector<Sample> all;
  add_requests(all);
  add_replies(all);
  add_events(all);
  all.push_back({"heartbeat", worker()});
  all.push_back({"heartbeat-new", new_worker()});
  all.push_back({"announcement", JobAnnouncement{kJob, "sd15", 5}});
  all.push_back({"cancel", Control{ControlCancel{kJob}}});
  all.push_back({"drain", Control{ControlDrain{}}});
  all.push_back({"load-model", Control{ControlLoadModel{"sdxl/turbo"}}});
  all.push_back({"unload-model", Control{ControlUnloadModel{"sdxl/turbo"}}});
  all.push_back({"generation", small_job()});
  all.push_back({"generation-full", full_job()});
  all.push_back({"transform", transform_job()});
  all.push_back({"inpaint", inpaint_job()});
  all.push_back({"controls", controlled_job()});
  all.push_back({"two-pass", two_pass_job()});
  all.push_back({"shortened", shortened_job()});
  all.push_back({"queued", queued_status()});
  all.push_back({"dead", dead_status()});
  all.push_back({"fields", ErrorRecord{bad_fields()}});
  all.push_back({"queue-full", ErrorRecord{queue_full()}});
  return all;
}

}  // namespace

JobRequest full_job() {
  JobRequest job = small_job();
  job.hive_id = "hive-1";
  job.prompt = "Bienenstock im Frühling, 蜂の巣 \"🐝\"\nzweite Zeile";
  job.negative_prompt = "blurry, low quality";
  job.has_negative_prompt = true;
  job.steps = 30;
  job.guidance_scale = 6.25;
  job.seed = 9'007'199'254'740'000;
  job.sampler = "euler";
  job.schedule = "karras";
  job.clip_skip = 2;
  job.loras = {{"bees.safetensors", 0.75}, {"honey.safetensors", -1.0}};
  job.worker_id = kWorker;
  job.n = 4;
  job.output_format = OutputFormat::webp;
  job.preview_every = 5;
  job.priority = -10;
  job.deadline_s = 90.5;
  job.max_attempts = 5;
  job.idempotency_key = "order 66/1";
  job.tenant = "alice";
  job.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  job.operation = ImageGeneration{768, 512};
  return job;
}

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = make_samples();
  return all;
}

}  // namespace waggle::codec::test
