"""ernn_input: what the whole accelerators of test_accelerator.py do not show."""

from vectors import Vectors, check, only_icarus, verilog


@only_icarus
def test_input_keeps_a_state_reset(simulator, folder):
    """It waits for the stream's next good packet: not the other stream's, not a dropped one."""
    v = Vectors()

    def cycle(beat=None, reset=0, full=None, error=None, **inputs):
        """A beat: stream, last, first beat's TUSER."""
        stream, last, user = beat or (0, 0, 0)
        idle = {"stored_i": 0, "stored_stream_i": 0, "stored_parity_i": 0}
        idle |= {
            "run_i": 1,
            "flush_i": 0,
            "release_i": 0,
            "release_stream_i": 0,
            "release_parity_i": 0,
            "rst_i": 0,
        }
        bus = {"s_axis_tvalid": beat is not None, "s_axis_tdata": 0, "s_axis_tid": stream}
        bus |= {"s_axis_tlast": last, "s_axis_tuser": user, "state_reset_i": reset}
        v.cycle(idle | bus | inputs, {"fresh_o": full, "error_o": error})

    def packet(stream, beats, user=0):
        for beat in range(beats):
            cycle((stream, beat == beats - 1, user and beat == 0))
        cycle()
        cycle()

    cycle(rst_i=1)
    cycle(rst_i=1)

    def release():
        for stream in (0, 1):
            for parity in (0, 1):
                cycle(release_i=1, release_stream_i=stream, release_parity_i=parity)

    for user, stream in ((1, 0), (0, 1), (0, 0), (0, 1)):  # every buffer
        packet(stream, 2, user)
    cycle(full=0b0011, error=0)  # even frames in the low half: the first ones behind a reset
    release()
    cycle(reset=0b01)
    packet(1, 2)
    packet(0, 1)  # too short: dropped
    packet(0, 3)  # too long: dropped
    cycle(full=0b0001)
    packet(0, 2)
    packet(0, 2)  # odd: no reset is left
    cycle(full=0b0001)
    cycle(reset=0b11)
    packet(1, 2)  # odd
    cycle(full=0b1001)
    release()
    packet(1, 2)  # even again
    cycle(full=0b1001)
    packet(0, 2)
    packet(0, 2)
    cycle(full=0b1001)
    parameters = {"STREAMS": 2, "BEATS": 2, "WORD": 1}
    check("ernn_input", parameters, v, folder, simulator, files=verilog("input", "skid"))
