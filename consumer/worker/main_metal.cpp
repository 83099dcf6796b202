// waggle-worker-metal: a worker whose device is Apple's Metal.
#include "consumer/worker/run.h"

int main(int argc, char** argv) {
  return waggle::worker::run(waggle::pipeline::DeviceKind::metal, argc, argv);
}
