"""Tables and a chart of what was measured."""

NAMES = {"floor": "yardstick", "brig": "brig", "crun": "crun", "runc": "runc"}
VIEWS = {"v2": "cgroup v2", "hybrid": "hybrid cgroups"}
OPTIONS = {"filter": "filter", "userns": "user namespace", "strict": "strict"}
COLOURS = {"floor": "#8a8a8a", "brig": "#1f6feb", "crun": "#b0b8c4", "runc": "#d0d7de"}


def title(result):
    return ", ".join([VIEWS[result["view"]], *(OPTIONS[option] for option in result["options"])])


def milliseconds(microseconds):
    return f"{microseconds / 1000:.2f}"


def table(header, rows):
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    line = lambda row: "| " + " | ".join(str(cell).ljust(width) for cell, width in zip(row, widths)) + " |"
    return "\n".join([line(header), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows)])


def run_rows(result):
    floor = next(row for row in result["rows"] if row["name"] == "floor")
    for row in result["rows"]:
        name = row["name"]
        is_floor = name == "floor"
        yield [
            title(result),
            NAMES[name],
            milliseconds(row["median_us"]),
            milliseconds(row["fastest_us"]),
            f"{row['median_us'] / floor['median_us']:.1f}",
            f"{row['fastest_us'] / floor['fastest_us']:.1f}",
            "" if is_floor else milliseconds(row["cpu_us"]),
            "" if is_floor else f"{row['peak_kib'] / 1024:.1f}",
            result["system_calls"].get(name, ""),
            result["instructions"].get(name, "not counted here"),
        ]


def life_rows(result):
    by_phase = {}
    for row in result["rows"]:
        by_phase.setdefault(row["phase"], {})[row["name"]] = row
    for phase, rows in by_phase.items():
        if not phase.startswith("("):
            yield [title(result), phase, *(milliseconds(rows[name]["median_us"]) if name in rows else "" for name in ["brig", "crun", "runc"])]


def markdown(results):
    runs = [row for result in results if result["kind"] == "run" for row in run_rows(result)]
    lives = [row for result in results if result["kind"] == "life" for row in life_rows(result)]
    run_header = [
        "`run` of /bin/true", "program", "median, ms", "fastest, ms", "ratio of medians", "of fastest", "processor time, ms",
        "peak memory, MiB", "system calls", "instructions",
    ]
    parts = []
    if all(row[-1] in ("", "not counted here") for row in runs):
        run_header, runs = run_header[:-1], [row[:-1] for row in runs]
    if runs:
        parts.append(table(run_header, runs))
    if lives:
        parts.append(table(["median, ms", "phase", "brig", "crun", "runc"], lives))
    return "\n\n".join(parts) + "\n"


def bar(y, row, scale):
    width = max(1.0, row["median_us"] / 1000 * scale)
    name = NAMES[row["name"]]
    return (
        f'<text x="8" y="{y + 12}">{name}</text>'
        f'<rect x="80" y="{y}" width="{width:.1f}" height="15" fill="{COLOURS[row["name"]]}"/>'
        f'<text x="{84 + width:.1f}" y="{y + 12}">{milliseconds(row["median_us"])} ms</text>'
    )


def svg(results):
    """Medians of `run` as bars; all scenarios have one scale."""
    runs = [result for result in results if result["kind"] == "run"]
    longest = max((row["median_us"] for result in runs for row in result["rows"]), default=1000) / 1000
    parts, y = [], 10
    for result in runs:
        parts.append(f'<text x="8" y="{y + 12}" font-weight="bold">{title(result)}</text>')
        y += 20
        for row in result["rows"]:
            parts.append(bar(y, row, 520 / longest))
            y += 19
        y += 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="700" height="{y}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="700" height="{y}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )
