"""A single-node OpenStack Swift with its S3 interface, all services in one process: FOLDER and four ports.

The first port speaks S3; access key `test:tester`, secret key `testing`. The folder's file system needs extended
attributes. Run as a program; it serves until it is killed.
"""

import eventlet

eventlet.monkey_patch()

import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from eventlet import wsgi  # noqa: E402
from swift.common import utils  # noqa: E402

SWIFT_CONF = """[swift-hash]
swift_hash_path_suffix = test
[storage-policy:0]
name = gold
default = yes
"""
COMMON = """[DEFAULT]
swift_dir = {conf}
devices = {devices}
mount_check = false
log_level = ERROR
disable_fallocate = true
fallocate_reserve = 0
bind_ip = 127.0.0.1
"""
SERVICE = """[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
FILTERS = ("catch_errors", "gatekeeper", "listing_formats", "s3api", "tempauth", "copy", "bulk", "slo", "symlink")
OPTIONS = {
    "s3api": "s3_acl = false\nlocation = us-east-1\ncheck_bucket_owner = false\n",
    "tempauth": "user_test_tester = testing .admin\n",
}
PROXY = "[app:proxy-server]\nuse = egg:swift#proxy\nallow_account_management = true\naccount_autocreate = true\n"


class Silence:
    """A log that nobody reads."""

    def write(self, _: str) -> None:
        pass


def main(root: Path, port: int, ports: dict[str, int]) -> None:
    conf, devices = root / "etc", root / "node"
    conf.mkdir()
    (devices / "d1").mkdir(parents=True)
    (conf / "swift.conf").write_text(SWIFT_CONF)
    utils.SWIFT_CONF_FILE = str(conf / "swift.conf")
    utils.validate_hash_conf()
    # These read the configuration when they are imported.
    from swift.common import storage_policy
    from swift.common.ring import RingBuilder
    from swift.common.wsgi import SwiftHttpProtocol, loadapp

    storage_policy.reload_storage_policies()
    common = COMMON.format(conf=conf, devices=devices)
    for kind, service_port in ports.items():
        ring = RingBuilder(4, 1, 0)
        place = {"region": 1, "zone": 1, "weight": 1, "device": "d1", "ip": "127.0.0.1", "port": service_port}
        ring.add_dev({"id": 0, **place, "replication_ip": "127.0.0.1", "replication_port": service_port})
        ring.rebalance()
        ring.get_ring().save(str(conf / f"{kind}.ring.gz"))
        (conf / f"{kind}.conf").write_text(common + SERVICE.format(kind=kind))
    filters = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n{OPTIONS.get(name, '')}" for name in FILTERS)
    pipeline = f"[pipeline:main]\npipeline = {' '.join(FILTERS)} proxy-server\n"
    (conf / "proxy.conf").write_text(common + pipeline + filters + PROXY)

    def serve(name: str, service_port: int) -> None:
        listener = eventlet.listen(("127.0.0.1", service_port), backlog=512)
        wsgi.server(listener, loadapp(str(conf / f"{name}.conf")), log=Silence(), protocol=SwiftHttpProtocol)

    for thread in [eventlet.spawn(serve, *pair) for pair in [*ports.items(), ("proxy", port)]]:
        thread.wait()


if __name__ == "__main__":
    folder, first, *rest = sys.argv[1:]
    main(Path(folder), int(first), dict(zip(("account", "container", "object"), map(int, rest), strict=True)))
