// waggle-worker-cuda: a worker whose device is a CUDA GPU.
#include "consumer/worker/run.h"

int main(int argc, char** argv) {
  return waggle::worker::run(waggle::pipeline::DeviceKind::cuda, argc, argv);
}
