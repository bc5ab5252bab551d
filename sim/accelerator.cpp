// SPDX-License-Identifier: Apache-2.0
// accelerator.py, compiled: the same traffic from the same file, and no Python in any cycle.
//
// Main program of a Verilator build of ernn_testbench. Sends packets, receives packets, and computes
// nothing. +vectors=FILE and +results=FILE are what accelerator.py reads and writes, and describes.
// Exit code 1 and a sentence where a packet or a register does not answer within its time-out.
#include <cstdint>
#include <cstdio>
#include <deque>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

namespace {

constexpr int SOON = 1000;      // cycles: time-out of a register access
constexpr int SEND_CYCLES = 2;  // from handing a packet to the source until its first beat
constexpr int HALF_PS = 5000;   // of a clock cycle, for dumps

using Word = std::vector<uint32_t>;  // the lowest bits first

// Ports are integers up to 64 bits, and arrays of 32 above.
template <typename Port>
void put(Port& port, const Word& word) {
    uint64_t value = 0;
    for (std::size_t i = 0; i < word.size() && i < 2; ++i) value |= uint64_t{word[i]} << 32 * i;
    port = static_cast<Port>(value);
}

template <std::size_t N>
void put(VlWide<N>& port, const Word& word) {
    for (std::size_t i = 0; i < N; ++i) port[i] = i < word.size() ? word[i] : 0;
}

template <typename Port>
Word get(const Port& port) {
    return {static_cast<uint32_t>(port), static_cast<uint32_t>(uint64_t{port} >> 32)};
}

template <std::size_t N>
Word get(const VlWide<N>& port) {
    return {port.data(), port.data() + N};
}

Word from_hex(const std::string& text) {
    Word word;
    for (std::size_t end = text.size(); end > 0; end -= end < 8 ? end : 8) {
        const std::size_t begin = end < 8 ? 0 : end - 8;
        word.push_back(std::stoul(text.substr(begin, end - begin), nullptr, 16));
    }
    return word;
}

std::string to_hex(const Word& word) {
    std::string text;
    for (auto part = word.rbegin(); part != word.rend(); ++part) {
        char digits[9];
        std::snprintf(digits, sizeof digits, "%08x", *part);
        text += digits;
    }
    const std::size_t first = text.find_first_not_of('0');
    return first == std::string::npos ? "0" : text.substr(first);
}

struct Packet {
    int stream = 0, fresh = 0;
    std::vector<Word> words;
};

// What the file tells: lines of a name and its values.
struct Traffic {
    std::map<std::string, std::string> settings;
    std::vector<Packet> packets;
    std::vector<std::pair<uint32_t, uint32_t>> writes;     // address, value
    std::vector<std::pair<std::string, uint32_t>> reads;  // name, address

    explicit Traffic(const std::string& path) {
        std::ifstream file(path);
        if (!file) throw std::runtime_error("cannot read " + path);
        for (std::string line, name, rest; std::getline(file, line);) {
            std::istringstream values(line);
            values >> name;
            if (name == "packet") {
                packets.emplace_back();
                values >> packets.back().stream >> packets.back().fresh;
                while (values >> rest) packets.back().words.push_back(from_hex(rest));
            } else if (name == "write") {
                writes.emplace_back();
                values >> writes.back().first >> writes.back().second;
            } else if (name == "read") {
                reads.emplace_back();
                values >> reads.back().first >> reads.back().second;
            } else {
                std::getline(values >> std::ws, settings[name]);
            }
        }
    }

    bool has(const std::string& name) const { return settings.count(name) > 0; }
    const std::string& text(const std::string& name) const { return settings.at(name); }
    long long number(const std::string& name) const { return std::stoll(settings.at(name)); }
};

// Whether to pause, cycle by cycle: `pauses` of accelerator.py.
class Pauses {
  public:
    Pauses(uint64_t seed, const std::string& probability)
        : state_(seed), limit_(static_cast<uint64_t>(std::stod(probability) * 4294967296.0)) {}

    bool next() {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return (state_ >> 32) < limit_;
    }

  private:
    uint64_t state_, limit_;
};

struct Interrupted {};  // thrown in the cycle in which a reset is due

class Testbench {
  public:
    std::vector<Packet> received;

    Testbench(Vtop& top, const Traffic& traffic)
        : top_(top), traffic_(traffic), quiet_cycles_(traffic.number("quiet_cycles")),
          idle_(2 * traffic.number("seed"), traffic.text("idle")),
          stall_(2 * traffic.number("seed") + 1, traffic.text("stall")) {
        idle_.next();  // cocotb's source is a cycle ahead of its sink
    }

    // Forget everything, on both sides.
    void reset() {
        top_.s_axil_awvalid = top_.s_axil_wvalid = top_.s_axil_bready = 0;
        top_.s_axil_arvalid = top_.s_axil_rready = 0;
        received.clear();
        queue_.clear();
        part_ = Packet();
        beat_ = sent_ = 0;
        offered_ = false;
        hold_from_ = hold_until_ = 0;
        top_.rst_i = 1;
        wait(traffic_.number("reset_cycles"));
        top_.rst_i = 0;
        wait(1);
    }

    // Exchange packets until a cycle in which a reset is due.
    void exchange_until(long long cycles) {
        reset_at_ = now_ + cycles;
        try {
            exchange();
        } catch (const Interrupted&) {
        }
        reset_at_ = -1;
    }

    // Send all packets, receive all that come back.
    void exchange() {
        for (const auto& [address, value] : traffic_.writes) write(address, value);
        if (traffic_.has("hold")) {
            std::istringstream(traffic_.text("hold")) >> hold_from_ >> hold_until_;
            hold_from_ += now_ + 1;
            hold_until_ += hold_from_;
        }
        const long long gap = traffic_.number("gap_cycles");
        for (const Packet& packet : traffic_.packets) {
            send(packet);
            if (traffic_.text("mode") == "single") {
                receive(sent_);
                wait(gap - SEND_CYCLES);
            }
        }
        receive(traffic_.number("expected"));
        wait(gap);
        if (received.size() > std::size_t(traffic_.number("expected")) || !part_.words.empty())
            throw std::runtime_error("a packet too many came back");
    }

    uint32_t read(uint32_t address) {
        top_.s_axil_araddr = address;
        top_.s_axil_arvalid = top_.s_axil_rready = 1;
        for (int cycles = 0; cycles < SOON; ++cycles) {
            wait(1);
            if (seen_.arready) top_.s_axil_arvalid = 0;
            if (seen_.rvalid) {
                top_.s_axil_rready = 0;
                return seen_.rdata;
            }
        }
        throw std::runtime_error("no register answers a read");
    }

  private:
    void write(uint32_t address, uint32_t value) {
        top_.s_axil_awaddr = address;
        top_.s_axil_wdata = value;
        top_.s_axil_wstrb = 15;
        top_.s_axil_awvalid = top_.s_axil_wvalid = top_.s_axil_bready = 1;
        for (int cycles = 0; cycles < SOON; ++cycles) {
            wait(1);
            if (seen_.awready) top_.s_axil_awvalid = 0;
            if (seen_.wready) top_.s_axil_wvalid = 0;
            if (seen_.bvalid) {
                top_.s_axil_bready = 0;
                wait(1);
                return;
            }
        }
        throw std::runtime_error("no register answers a write");
    }

    // Put a packet into the source's queue, as soon as its begin is told.
    void send(Packet packet) {
        if (packet.fresh && traffic_.text("begin") == "register") {
            packet.fresh = 0;
            receive(sent_);  // a packet that waits at the input would be the next one
            write(traffic_.number("state_reset"), 1u << packet.stream);
        }
        queue_.push_back(packet);
        ++sent_;
    }

    void receive(std::size_t count) {
        for (quiet_ = 0; received.size() < count; cycle()) {
            if (++quiet_ > quiet_cycles_) {
                const std::string seen = std::to_string(received.size());
                throw std::runtime_error(
                    "no packet came within " + std::to_string(quiet_cycles_) + " cycles, behind " +
                    seen + " of " + traffic_.text("expected"));
            }
        }
    }

    void wait(long long cycles) {
        while (cycles-- > 0) cycle();
    }

    // From a falling edge, at which inputs change, to behind the rising one, which takes them.
    void cycle() {
        if (now_ == reset_at_) throw Interrupted();
        settle(0);
        seen_ = {top_.s_axil_awready, top_.s_axil_wready, top_.s_axil_bvalid,
                 top_.s_axil_arready, top_.s_axil_rvalid, top_.s_axil_rdata};
        const bool taken = top_.s_axis_tvalid && top_.s_axis_tready;
        if (top_.m_axis_tvalid && top_.m_axis_tready && !top_.rst_i) take();
        settle(1);
        ++now_;
        offer(taken);
        const bool held = now_ >= hold_from_ && now_ < hold_until_;
        const bool stalled = stall_.next();
        top_.m_axis_tready = !top_.rst_i && !held && !stalled;
    }

    void settle(int clock) {
        top_.clk_i = clock;
        top_.eval();
        Verilated::threadContextp()->timeInc(HALF_PS);
    }

    // Let the source set the next beat where there is one and the last one has gone.
    void offer(bool taken) {
        const bool idle = idle_.next();
        offered_ = offered_ && !taken;
        if (offered_) return;
        offered_ = !queue_.empty() && !idle && !top_.rst_i;
        top_.s_axis_tvalid = offered_;
        top_.s_axis_tlast = 0;
        if (!offered_) return;
        const Packet& packet = queue_.front();
        const bool last = beat_ + 1 == packet.words.size();
        put(top_.s_axis_tdata, packet.words[beat_]);
        top_.s_axis_tlast = last;
        top_.s_axis_tid = packet.stream;
        top_.s_axis_tuser = packet.fresh;
        beat_ = last ? 0 : beat_ + 1;
        if (last) queue_.pop_front();
    }

    void take() {
        part_.stream = top_.m_axis_tid;
        part_.words.push_back(get(top_.m_axis_tdata));
        if (top_.m_axis_tlast) {
            received.push_back(part_);
            part_ = Packet();
            quiet_ = 0;
        }
    }

    struct Seen {
        uint32_t awready, wready, bvalid, arready, rvalid, rdata;
    };

    Vtop& top_;
    const Traffic& traffic_;
    long long quiet_cycles_, quiet_ = 0, now_ = 0, reset_at_ = -1, hold_from_ = 0, hold_until_ = 0;
    Pauses idle_, stall_;
    Seen seen_{};
    std::deque<Packet> queue_;
    Packet part_;  // of a packet that comes back
    std::size_t beat_ = 0, sent_ = 0;
    bool offered_ = false;
};

void save(const std::string& path, Testbench& testbench, const Traffic& traffic) {
    std::ofstream file(path);
    file << "{\"packets\": [";
    const char* comma = "";
    for (const Packet& packet : testbench.received) {
        file << comma << "[" << packet.stream << ", [";
        comma = "";
        for (const Word& word : packet.words) {
            file << comma << '"' << to_hex(word) << '"';
            comma = ", ";
        }
        file << "]]";
        comma = ",\n";
    }
    file << "],\n\"registers\": {";
    comma = "";
    for (const auto& [name, address] : traffic.reads) {
        file << comma << '"' << name << "\": " << testbench.read(address);
        comma = ", ";
    }
    file << "}}\n";
}

std::string argument(const std::string& name) {
    const std::string found = Verilated::threadContextp()->commandArgsPlusMatch(name.c_str());
    return found.empty() ? found : found.substr(name.size() + 1);
}

}  // namespace

int main(int count, char** arguments) {
    Verilated::commandArgs(count, arguments);
    Vtop top("");
    int code = 0;
    try {
        const Traffic traffic(argument("vectors="));
        Testbench testbench(top, traffic);
        testbench.reset();
        if (traffic.has("reset_cycle")) {
            testbench.exchange_until(traffic.number("reset_cycle"));
            testbench.reset();
        }
        testbench.exchange();
        save(argument("results="), testbench, traffic);
        if (top.unknown_o) throw std::runtime_error("an output was unknown");
    } catch (const std::exception& reason) {
        std::fprintf(stderr, "%s\n", reason.what());
        code = 1;
    }
    top.final();
    return code;
}
