"""Tests the lint itself, both ways: a good tree passes, and each rule, broken once, is found and nothing else is."""

import tempfile
import unittest
from pathlib import Path

import house_rules

GOOD = {
    "schemas/job.h": "// A job.\n#pragma once\n#include <string>\n",
    "schemas/codec/msgpack.h": '// Bytes.\n#pragma once\n#include "schemas/job.h"\n',
    "schemas/codec/msgpack.cpp": '// Bytes.\n#include "schemas/codec/msgpack.h"\n#include <msgpack.hpp>\n',
    "schemas/CMakeLists.txt": "add_library(waggle_schemas STATIC job.cpp)\n",
    "pipeline/pipeline.h": '// The face.\n#pragma once\n#include "schemas/job.h"\n',
    "pipeline/engine/engine.h": "// The engine.\n#pragma once\n#include <ATen/core/Tensor.h>\n",
    "pipeline/pipeline.cpp": '// The face.\n#include "pipeline/pipeline.h"\n#include "pipeline/engine/engine.h"\n',
    "pipeline/image/picture.h": "// A picture.\n#pragma once\n#include <vector>\n",
    "pipeline/CMakeLists.txt": (
        "add_library(waggle_pipeline STATIC pipeline.cpp)\n"
        "target_link_libraries(waggle_pipeline PUBLIC waggle_options waggle_schemas)\n"
    ),
    "consumer/bus/bus.h": '// Sockets.\n#pragma once\n#include "schemas/codec/msgpack.h"\n',
    "consumer/bus/bus.cpp": '// Sockets.\n#include "consumer/bus/bus.h"\n#include <zmq.hpp>\n',
    "consumer/bus/CMakeLists.txt": (
        "add_library(waggle_bus STATIC bus.cpp)\ntarget_link_libraries(waggle_bus PUBLIC waggle_schemas)\n"
    ),
    "consumer/ledger/ledger.cpp": (
        '// The record.\n#include <hiredis/hiredis.h>\n#include "consumer/ledger/scripts.h"\n'
    ),
    "consumer/ledger/CMakeLists.txt": "add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/generated/scripts.h)\n",
    "consumer/worker/worker.cpp": (
        '// Claims.\n#include "consumer/bus/bus.h"\n#include "pipeline/pipeline.h"\n'
        '#include "pipeline/image/picture.h"\n'
    ),
    "consumer/worker/CMakeLists.txt": (
        "add_library(waggle_worker STATIC worker.cpp)\n"
        "target_link_libraries(waggle_worker\n  PUBLIC waggle_bus\n  PRIVATE waggle_pipeline)\n"
    ),
    "consumer/bridge/http.cpp": "// HTTP.\n#include <boost/beast.hpp>\n#include <nlohmann/json.hpp>\n",
    "tests/bus/bus_test.cpp": '// Tests.\n#include "consumer/bus/bus.h"\n#include <zmq.h>\n',
    "tests/golden/data/notes.txt": "data is left alone",
    "build/release/generated/anything.h": "no rule holds here",
    "docker/compose.yaml": "services: {}\n",
}

# What is broken -> (the files that break it, what the one finding says).
BROKEN = {
    "the schemas include their codec": (
        {"schemas/job.h": '// A job.\n#pragma once\n#include "schemas/codec/msgpack.h"\n'},
        'schemas may not include "schemas/codec/msgpack.h"',
    ),
    "the pipeline includes the queue": (
        {"pipeline/text/bpe.cpp": '// Text.\n#include "consumer/bus/bus.h"\n'},
        'pipeline may not include "consumer/bus/bus.h"',
    ),
    "the bridge includes the pipeline": (
        {"consumer/bridge/stream.cpp": '// SSE.\n#include "pipeline/pipeline.h"\n'},
        'consumer/bridge may not include "pipeline/pipeline.h"',
    ),
    "the bus includes the ledger": (
        {"consumer/bus/x.cpp": '// X.\n#include "consumer/ledger/y.h"\n', "consumer/ledger/y.h": "// Y.\n#pragma once\n"},
        'consumer/bus may not include "consumer/ledger/y.h"',
    ),
    "the worker reaches behind the face of the pipeline": (
        {"consumer/worker/claim.cpp": '// Claims.\n#include "pipeline/engine/engine.h"\n'},
        '"pipeline/engine/engine.h" is not part of what the pipeline shows',
    ),
    "an include is relative to its own folder": (
        {"consumer/bus/proxy.cpp": '// Proxy.\n#include "bus.h"\n'},
        '"bus.h" is not a path from the root',
    ),
    "an include names a file that is not there": (
        {"consumer/bus/proxy.cpp": '// Proxy.\n  #  include "consumer/bus/gone.h"\n'},
        '"consumer/bus/gone.h" is not a path from the root',
    ),
    "a file lies outside every part": (
        {"consumer/main.cpp": "// Main.\n"},
        "belongs to no part of the house",
    ),
    "the ledger sees ZeroMQ": (
        {"consumer/ledger/x.cpp": "// X.\n#include <zmq.h>\n"},
        "only consumer/bus may see ZeroMQ",
    ),
    "the queen sees hiredis": (
        {"consumer/queen/x.cpp": "// X.\n#include <hiredis/hiredis.h>\n"},
        "only consumer/ledger may see hiredis",
    ),
    "the worker sees torch": (
        {"consumer/worker/x.cpp": "// X.\n#include <torch/torch.h>\n"},
        "only pipeline may see torch",
    ),
    "the pipeline sees MessagePack": (
        {"pipeline/x.cpp": "// X.\n#include <msgpack.hpp>\n"},
        "only schemas/codec may see MessagePack",
    ),
    "the bus sees JSON": (
        {"consumer/bus/x.cpp": "// X.\n#include <nlohmann/json.hpp>\n"},
        "may see JSON",
    ),
    "the CLI sees Boost": (
        {"consumer/cli/x.cpp": "// X.\n#include <boost/asio.hpp>\n"},
        "only consumer/bridge may see Boost",
    ),
    "the pipeline logs": (
        {"pipeline/x.cpp": "// X.\n#include <spdlog/spdlog.h>\n"},
        "may see spdlog",
    ),
    "the ledger reads flags": (
        {"consumer/ledger/x.cpp": "// X.\n#include <CLI/CLI.hpp>\n"},
        "may see CLI11",
    ),
    "the worker decodes pictures itself": (
        {"consumer/worker/x.cpp": "// X.\n#include <png.h>\n"},
        "only pipeline may see an image codec",
    ),
    "the schemas see more than the standard library": (
        {"schemas/log.cpp": "// Log.\n#include <spdlog/spdlog.h>\n"},
        "schemas knows the standard library only",
    ),
    "the face of the pipeline shows torch": (
        {"pipeline/pipeline.h": "// The face.\n#pragma once\n#include <c10/core/Device.h>\n"},
        "pipeline/pipeline.h: shows torch",
    ),
    "the face of the pipeline shows torch through another header": (
        {"pipeline/pipeline.h": '// The face.\n#pragma once\n#include "pipeline/engine/engine.h"\n'},
        "pipeline/pipeline.h -> pipeline/engine/engine.h -> <ATen/core/Tensor.h>",
    ),
    "a target links against the arrow": (
        {"consumer/bridge/CMakeLists.txt": "target_link_libraries(bridge PRIVATE\n  waggle_pipeline)\n"},
        "consumer/bridge may not link waggle_pipeline of pipeline",
    ),
    "a folder is called helpers": (
        {"consumer/bus/helpers/x.h": "// X.\n#pragma once\n"},
        "consumer/bus/helpers: a folder is named for what is in it",
    ),
    "a new top-level folder": (
        {"scripts/x.sh": "true\n"},
        "scripts: not one of the top-level folders",
    ),
    "a file ends without a newline": (
        {"schemas/ids.h": "// Ids.\n#pragma once"},
        "schemas/ids.h: no newline at the end",
    ),
    "a file begins without a comment": (
        {"schemas/ids.h": "#pragma once\n// Ids.\n"},
        "schemas/ids.h: does not begin with a comment",
    ),
    "a header without a guard": (
        {"schemas/ids.h": "// Ids.\n"},
        "schemas/ids.h: no #pragma once",
    ),
}


class HouseRulesTest(unittest.TestCase):
    def findings(self, files):
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return house_rules.findings(root)

    def test_a_good_tree_passes(self):
        self.assertEqual(self.findings(GOOD), [])

    def test_each_broken_rule_is_found_and_nothing_else(self):
        for what, (files, expected) in BROKEN.items():
            with self.subTest(what):
                found = self.findings({**GOOD, **files})
                self.assertEqual(len(found), 1, found)
                self.assertIn(expected, found[0])

    def test_the_table_of_libraries_names_parts_that_exist_and_leaves_the_schemas_out(self):
        for name, _, parts in house_rules.LIBRARIES:
            self.assertLessEqual(set(parts), set(house_rules.ARROWS), name)
            self.assertNotIn("schemas", parts, name)

    def test_the_arrows_have_no_circle(self):
        settled = set()
        while len(settled) < len(house_rules.ARROWS):
            ready = {part for part, below in house_rules.ARROWS.items() if set(below) <= settled} - settled
            self.assertTrue(ready, "a circle among the parts that remain")
            settled |= ready


if __name__ == "__main__":
    unittest.main()
