// Drawing CURVE keys.
#include <array>
#include <stdexcept>

#include "consumer/bus/socket.h"

namespace waggle::bus {

KeyPair make_key_pair() {
  std::array<char, 41> public_key{}, secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) {
    throw std::runtime_error("this libzmq is built without CURVE");
  }
  return {public_key.data(), secret_key.data()};
}

}  // namespace waggle::bus
