"""Steps for the testbench of the registers, and what the plan says that they are answered."""

import numpy as np

from ernn import __version__
from ernn.hdl.registers import register_map

EVENTS = {
    "frame_i": "frames",
    "input_stall_i": "input_stalls",
    "output_stall_i": "output_stalls",
    "step_i": "steps",
    "saturated_rows_i": "saturated_rows",
    "saturated_states_i": "saturated_states",
    "saturated_vectors_i": "saturated_vectors",
}


class Script:
    """Steps for the testbench, and what the plan says that they are answered."""

    def __init__(self, plan):
        self.plan, self.map = plan, register_map(plan)
        self.steps, self.answers, self.loads, self.state_resets = [], [], [], []

    def address(self, name):
        return self.map.register(name).address

    def read(self, name, value):
        self.steps.append(["read", self.address(name)])
        self.answers.append(["OKAY", value])

    def write(self, name, data):
        self.steps.append(["write", self.address(name), data, 4])
        self.answers.append("OKAY")

    def refused_read(self, address):
        """Reading gives 0."""
        self.steps.append(["read", address])
        self.answers.append(["SLVERR", 0])

    def refused_write(self, address, data=0xFFFFFFFF, size=4):
        self.steps.append(["write", address, data, size])
        self.answers.append("SLVERR")

    def set(self, **values):
        self.steps.append(["set", values])

    def pulse(self, cycles=1, **values):
        self.steps.append(["pulse", values, cycles])

    def see(self, **values):
        self.steps.append(["see", list(values)])
        self.answers.append(list(values.values()))

    def load(self, target, address, word, done=True):
        """Write a word, without a wait for the response of each part."""
        bits = max(memory.bits for memory in self.plan.load_targets)
        pieces = [word >> 32 * piece & 0xFFFFFFFF for piece in reversed(range(-(-bits // 32)))]
        writes = [("load_target", target), *(("load_data", piece) for piece in pieces)]
        writes.append(("load_write", address))
        steps = [["write", self.address(name), data, 4] for name, data in writes]
        self.steps.append(["together", steps])
        self.answers.append([["OKAY"]] * len(steps))
        if done:
            self.loads.append([target, address, word])


def after_reset(script):
    """Every register reads as the plan says."""
    plan, major_minor_patch = script.plan, [int(part) for part in __version__.split(".")]
    values = {
        "id": int.from_bytes(b"ERNN", "little"),
        "version": sum(n << 8 * i for i, n in enumerate(reversed(major_minor_patch))),
        "plan": int(plan.digest[:8], 16),
        "bus": plan.word | plan.element_bits << 8 | plan.streams << 16,
        "clock_khz": round(plan.clock_mhz * 1000),
        "array": plan.pe_rows | plan.pe_columns << 16,
        "lanes": plan.macs | plan.drain_lanes << 16,
        "packets": plan.input_words | plan.output_words << 16,
        "sizes": plan.features | plan.labels << 16,
        "control": 1,
    }
    for register in script.map.readable:
        if not register.name.startswith("cycles_"):
            script.read(register.name, values.get(register.name, 0))
    script.see(run_o=1, state_reset_o=0, interrupt_o=0, load_we_o=0)


def refusals(script):
    """What no register takes is refused and changes nothing."""
    addresses = {register.address for register in script.map.registers}
    holes = set(range(0, 0x100, 4)) - addresses
    for address in [*sorted(holes), 0x400 + script.address("control"), 0xFFC]:
        script.refused_read(address)
        script.refused_write(address)
    for register in script.map.registers:
        if not register.writable:
            script.refused_write(register.address)
        elif not register.readable:
            script.refused_read(register.address)
    for size in (1, 2, 3):
        for register in script.map.writable:
            script.refused_write(register.address, 0, size)
    after_reset(script)


def storage(script):
    """What is written is read, and drives the hardware."""
    for number in (0xFFFFFFFF, 0x5A5AA5A5, 0):
        script.write("load_target", number)
        script.read("load_target", number & 0xFFFF)
        script.see(load_target_o=number & 0xFFFF)
        script.write("interrupt_enable", number)
        script.read("interrupt_enable", number & 3)
        script.write("control", number)
        script.read("control", number & 1)
        script.see(run_o=number & 1)
    for value in (1, 0):
        script.set(idle_i=value)
        script.read("status", value)
    script.write("control", 1)


def errors_and_interrupts(script):
    """Errors stay until 1 is written; interrupts follow what is enabled."""
    script.write("interrupt_enable", 1)
    for bits in range(1, 8):
        script.pulse(packet_error_i=bits)
        script.read("error", bits)
        script.read("interrupt_status", 1)
        script.see(interrupt_o=1)
        for bit in range(3):
            script.write("error", 1 << bit)
            script.read("error", bits & -(2 << bit))
        script.see(interrupt_o=1)
        script.write("interrupt_status", 2)
        script.read("interrupt_status", 1)
        script.write("interrupt_status", 1)
        script.see(interrupt_o=0)
    script.pulse(packet_error_i=8)
    script.read("error", 16)  # beside that of a load
    script.write("error", 16)
    script.write("interrupt_status", 1)
    script.pulse(frame_i=1)
    script.read("interrupt_status", 2)
    script.see(interrupt_o=0)  # frames are not enabled
    script.write("interrupt_enable", 2)
    script.see(interrupt_o=1)
    script.write("interrupt_status", 2)
    script.read("interrupt_status", 0)
    script.see(interrupt_o=0)


def pulses(script):
    """A pulse lasts one cycle and reads as nothing."""
    for mask in range(1 << script.plan.streams):
        script.write("state_reset", mask)
        script.state_resets += [mask] if mask else []
    script.see(state_reset_o=0)


def loading(script):
    """Words reach the memories, but only of an accelerator at rest."""
    rng = np.random.default_rng(1)
    targets = script.plan.load_targets
    bits = max(memory.bits for memory in targets)
    words = [int.from_bytes(rng.bytes(bits // 8 + 1), "little") % (1 << bits) for _ in targets]
    for run, idle in ((1, 1), (0, 0), (1, 0)):
        script.write("control", run)
        script.set(idle_i=idle)
        script.load(0, 3, words[0], done=False)
        script.read("error", 8)
        script.read("interrupt_status", 1)
        script.write("error", 8)
        script.write("interrupt_status", 3)
    script.write("control", 0)
    script.set(idle_i=1)
    for number, (memory, word) in enumerate(zip(targets, words, strict=True)):
        script.load(number, memory.depth - 1, word)
    script.write("load_write", 0)  # the same word again
    script.loads.append([len(targets) - 1, 0, words[-1]])
    for number, memory in enumerate(targets):
        script.write("load_target", number)
        for address in (memory.depth, 0xFFFFFFFF):  # of no word: refused
            script.refused_write(script.address("load_write"), address)
    script.write("load_target", len(targets))
    script.refused_write(script.address("load_write"), 0)
    script.read("error", 0)
    script.write("control", 1)


def counting(script):
    """Counters add what comes, and are cleared together."""
    script.write("control", 3)
    totals = dict.fromkeys(EVENTS.values(), 0)
    bits = {counter.name: counter.bits for counter in script.map.counters}
    for number, (port, name) in enumerate(EVENTS.items()):
        for added in {1, (1 << bits[name]) - 1}:
            script.pulse(number + 3, **{port: added})
            totals[name] += (number + 3) * added
    for name, total in totals.items():
        script.read(f"{name}_low", total)
        script.read(f"{name}_high", 0)
    script.write("control", 3)
    script.read("control", 1)
    for name in totals:
        script.read(f"{name}_low", 0)
    script.write("interrupt_status", 3)


PARTS = [after_reset, refusals, storage, errors_and_interrupts, pulses, loading, counting]


def whole_script(plan):
    """Everything, with resets in the middle of accesses."""
    script = Script(plan)
    for part in PARTS:
        part(script)
    for cycles in range(12):
        script.write("interrupt_enable", 3)
        script.write("load_target", 7)
        script.write("control", 0)
        script.pulse(packet_error_i=7, frame_i=1)
        under_way = [["read", script.address("id")], ["write", script.address("control"), 0, 4]]
        script.steps.append(["reset", cycles, under_way])
        script.see(run_o=1, interrupt_o=0)
    script.set(idle_i=0)
    for part in PARTS:
        part(script)
    return script
