#!/usr/bin/env python3
"""Writes the bill of materials, as SPDX 2.3 in JSON: sbom.py OUT VERSION IMAGES

What is in it: the files of IMAGES with their sums; the sources from elsewhere that they contain
(third_party.py); the Debian packages that they contain parts of, and those whose tools made them,
with the versions that this machine has. The same files and packages give the same bytes.

Not in it: what those tools need to run. It leaves no trace in what is built, or the sums of a build
inside and outside of a container would differ.
"""

import datetime
import hashlib
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import third_party

Record = dict[str, Any]


class Package(NamedTuple):
    name: str
    licence: str  # an SPDX expression
    is_contained: bool  # its bits are in what is built; otherwise it only made them


GPL3 = "GPL-3.0-or-later"
RUNTIME = "GPL-3.0-or-later WITH GCC-exception-3.1"
PICOLIBC = "LicenseRef-picolibc"  # a collection of free licences; Debian's text of them is included

PACKAGES = [
    Package("picolibc-riscv64-unknown-elf", PICOLIBC, True),
    Package("libgcc-12-dev-riscv64-cross", RUNTIME, True),
    Package("libstdc++-12-dev-riscv64-cross", RUNTIME, True),
    Package("binutils-riscv64-linux-gnu", GPL3, False),
    Package("gcc-12-riscv64-linux-gnu", GPL3, False),
    Package("g++-12-riscv64-linux-gnu", GPL3, False),
    Package("make", GPL3, False),
    Package("python3", "PSF-2.0", False),
]


def identifier(kind: str, name: str) -> str:
    """SPDX identifiers have letters, digits, dots and dashes."""
    return f"SPDXRef-{kind}-" + "".join(c if c.isalnum() or c in ".-" else "-" for c in name)


def query(package: str, field: str) -> str:
    result = subprocess.run(["dpkg-query", "-W", "-f", f"${{{field}}}", package], text=True,
                            check=True, stdout=subprocess.PIPE)
    return result.stdout


def purl(name: str, version: str) -> Record:
    quoted = name.replace("+", "%2B")
    return {
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": f"pkg:deb/debian/{quoted}@{version.replace('+', '%2B')}",
    }


def described(name: str, kind: str, version: str, licence: str) -> Record:
    return {
        "name": name,
        "SPDXID": identifier(kind, name),
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": licence,
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
    }


def debian_package(package: Package) -> Record:
    version = query(package.name, "Version")
    source = f"{query(package.name, 'source:Package')} {query(package.name, 'source:Version')}"
    return described(package.name, "Debian", version, package.licence) | {
        "supplier": "Organization: Debian",
        "sourceInfo": f"binary package, built from Debian's source package {source}",
        "externalRefs": [purl(package.name, version)],
    }


def source_package(name: str, source: third_party.Source) -> Record:
    return described(name, "Source", source.version, source.licence) | {
        "packageFileName": source.tarball,
        "checksums": [{"algorithm": "SHA256", "checksumValue": source.sha256}],
        "sourceInfo": f"folder {source.folder} of Debian's source package {source.package} "
                      f"{source.version}",
    }


def artifact(path: Path) -> Record:
    data = path.read_bytes()
    # SHA-1 is not relied upon: SPDX 2.3 asks for it.
    return {
        "fileName": f"./{path.name}",
        "SPDXID": identifier("File", path.name),
        "checksums": [
            {"algorithm": "SHA1", "checksumValue": hashlib.sha1(data).hexdigest()},
            {"algorithm": "SHA256", "checksumValue": hashlib.sha256(data).hexdigest()},
        ],
        "licenseConcluded": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    }


def picolibc_licence() -> Record:
    text = Path("/usr/share/doc/picolibc-riscv64-unknown-elf/copyright").read_text(encoding="utf-8")
    return {"licenseId": PICOLIBC, "name": "the licences of picolibc", "extractedText": text}


def relation(subject: str, kind: str, related: str) -> Record:
    return {
        "spdxElementId": subject,
        "relationshipType": kind,
        "relatedSpdxElement": related,
    }


def relations(files: list[Record], sources: list[Record]) -> list[Record]:
    kairos = identifier("Package", "kairos")
    result = [relation("SPDXRef-DOCUMENT", "DESCRIBES", kairos)]
    result += [relation(kairos, "GENERATES", each["SPDXID"]) for each in files]
    result += [relation(kairos, "CONTAINS", each["SPDXID"]) for each in sources]
    for package in PACKAGES:
        other = identifier("Debian", package.name)
        if package.is_contained:
            result.append(relation(kairos, "CONTAINS", other))
        else:
            result.append(relation(other, "BUILD_TOOL_OF", kairos))
    return result


def document(version: str, images: Path) -> Record:
    time = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")),
                                           datetime.timezone.utc)
    files = [artifact(path) for path in sorted(images.iterdir()) if path.suffix != ".json"]
    sources = [source_package(*each) for each in sorted(third_party.SOURCES.items())]
    kairos = described("kairos", "Package", version, "MIT")
    contents: Record = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"kairos-{version}",
        "creationInfo": {
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: kairos-sbom"],
        },
        "packages": [kairos, *sources, *map(debian_package, PACKAGES)],
        "files": files,
        "hasExtractedLicensingInfos": [picolibc_licence()],
        "relationships": relations(files, sources),
    }
    # Different contents have different names, and the same contents the same.
    digest = json.dumps(contents, sort_keys=True)
    contents["documentNamespace"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}"
    return contents


def main(words: list[str]) -> int:
    if len(words) != 3:
        print("usage: sbom.py OUT VERSION IMAGES", file=sys.stderr)
        return 2
    try:
        contents = document(words[1], Path(words[2]))
        text = json.dumps(contents, indent=2, ensure_ascii=True) + "\n"
        Path(words[0]).write_text(text, encoding="ascii")
    except (OSError, ValueError, subprocess.CalledProcessError) as problem:
        print(f"sbom.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
