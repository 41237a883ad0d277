"""Drives BertClient 1.10.0 through all that it can do, and prints what came of it as JSON.

The farm behind the door gives a text the vector [length, hash, 1, 0.5], fails 'bad text', and takes 25 tokens.
"""

import json
import sys
import threading
import warnings

import numpy as np
from bert_serving.client import BertClient, ConcurrentBertClient

PORTS = {"port": int(sys.argv[1]), "port_out": int(sys.argv[2]), "timeout": 60000}
found = {}


def first(rows):
    return [int(row[0]) for row in rows]


def raised(call):
    try:
        call()
        return None
    except Exception as fault:
        return [type(fault).__name__, str(fault)]


with BertClient(**PORTS) as bc:
    array = bc.encode(["a", "bbb"])
    found["array"] = [type(array).__name__, str(array.dtype), list(array.shape), array.tolist()]
    found["tokenized"] = bc.encode([["ab", "cd"], ["e", "|||", "f"]], is_tokenized=True).tolist()
    vectors, tokens = bc.encode(["one two", "what ||| ever"], show_tokens=True)
    found["tokens"] = tokens
    found["unicode"] = bc.encode(["naïve 你好 😀"]).tolist()

    for count in range(1, 4):
        bc.encode(["x" * count] * count, blocking=False)
    found["fetched"] = sorted((result.id, result.embedding.shape[0]) for result in bc.fetch())
    for count in range(1, 4):
        bc.encode(["x" * count] * count, blocking=False)
    found["fetch_all"] = [first(rows) for rows in bc.fetch_all()]
    for count in range(1, 4):
        bc.encode(["x" * count] * count, blocking=False)
    found["concatenated"] = first(bc.fetch_all(sort=True, concat=True))
    found["nothing to fetch"] = bc.fetch_all()
    batches = (["y" * count] for count in range(1, 6))
    found["async"] = sorted(first(result.embedding)[0] for result in bc.encode_async(batches))
    limited = (["z"] for _ in range(10))
    found["async limited"] = len(list(bc.encode_async(limited, max_num_batch=4, delay=0.5)))

    many = ["text %d" % index for index in range(5000)]
    found["many"] = bool((bc.encode(many)[:, 0] == [len(text) for text in many]).all())

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        bc.encode(["word " * 30])
        found["warning"] = str(caught[0].message)

    found["error"] = raised(lambda: bc.encode(["good", "bad text"]))
    found["after the error"] = bc.encode(["a"]).tolist()
    found["config"] = {key: bc.server_config[key] for key in ("server_version", "max_seq_len", "pooling_strategy")}
    found["statistic"] = bc.server_status["statistic"]["num_total_client"]
    found["status"] = {key: bc.status[key] for key in ("num_pending_request", "client_version")}

with BertClient(output_fmt="list", **PORTS) as bc:
    found["list"] = bc.encode(["a"])

with BertClient(identity=b"named", check_version=False, check_length=False, check_token_info=False, **PORTS) as bc:
    found["named"] = bc.encode(["a"]).tolist()

with BertClient(ignore_all_checks=True, **PORTS) as bc:
    found["unchecked"] = bc.encode(["a"]).tolist()

with ConcurrentBertClient(max_concurrency=4, **PORTS) as clients:
    results = [None] * 4

    def work(index):
        for turn in range(25):
            text = "t" * (index * 25 + turn + 1)
            assert first(clients.encode(texts=[text])) == [len(text)]
        results[index] = "done"

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found["concurrent"] = results
    found["concurrent config"] = clients.server_config["server_version"]

print(json.dumps(found))
