// waggle-worker-cpu: a worker whose device is the CPU.
#include "consumer/worker/run.h"

int main(int argc, char** argv) { return waggle::worker::run(waggle::pipeline::DeviceKind::cpu, argc, argv); }
