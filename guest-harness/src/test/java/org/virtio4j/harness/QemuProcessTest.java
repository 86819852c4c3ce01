// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.virtio4j.harness.console.ConsoleLine;
import org.virtio4j.harness.console.QemuProcess;

/** A shell plays QEMU, and says its process number first. */
@Timeout(60)
class QemuProcessTest {

    private static final Duration LONG = Duration.ofMinutes(1);

    private final GuestFacts facts = new GuestFacts();
    private final List<String> others = new ArrayList<>();
    private final AtomicBoolean interrupted = new AtomicBoolean();

    @Test
    void shouldHearAllUpToTheEnd() throws IOException {
        assertEquals(QemuProcess.End.SWITCHED_OFF, run(LONG, LONG,
                "for i in 1 2 3 4 5 6 7 8 9; do echo \"[ 1.$i] virtio4j: fact n/$i=$i\"; done; printf last"));
        assertEquals(9, facts.all().size());
        assertEquals("last", others.getLast());
    }

    @Test
    void shouldHearWhatQemuComplainsAbout() throws IOException {
        assertEquals(QemuProcess.End.CRASHED, run(LONG, LONG, "echo 'no such device' >&2; exit 1"));
        assertEquals("no such device", facts.lastLines().getLast());
    }

    @Test
    void shouldEndQemuWhenTheUserWantsIt() throws IOException {
        assertEquals(QemuProcess.End.INTERRUPTED, run(LONG, LONG, "echo stop; exec sleep 1000"));
        assertEnded();
    }

    @Test
    void shouldEndQemuWhenTheGuestIsSilent() throws IOException {
        assertEquals(QemuProcess.End.SILENT, run(Duration.ofSeconds(2), LONG, "exec sleep 1000"));
        assertEnded();
    }

    @Test
    void shouldEndQemuWhenItTakesTooLong() throws IOException {
        assertEquals(QemuProcess.End.TOO_LONG, run(LONG, Duration.ofSeconds(2), "while :; do echo still here; done"));
        assertEnded();
    }

    @Test
    void shouldHearNothingFromAGuestThatTypesNothing() throws IOException {
        assertEquals(QemuProcess.End.SWITCHED_OFF, run(LONG, LONG, "cat"));
    }

    @Test
    void shouldTypeWhatALineIsAnsweredBy() throws IOException {
        QemuProcess run = new QemuProcess(List.of("sh", "-c", "echo go on?; read answer; echo so: $answer"),
                new QemuProcess.Limits(LONG, LONG), interrupted::get);
        assertEquals(QemuProcess.End.SWITCHED_OFF, run.talk(line -> {
            others.add(line);
            return line.equals("go on?") ? "yes\n" : "";
        }));
        assertEquals(List.of("go on?", "so: yes"), others);
    }

    private QemuProcess.End run(Duration silence, Duration total, String script) throws IOException {
        QemuProcess run = new QemuProcess(List.of("sh", "-c", "echo $$; " + script),
                new QemuProcess.Limits(silence, total), interrupted::get);
        return run.run(text -> {
            ConsoleLine line = ConsoleLine.of(text);
            facts.add(line);
            if (line instanceof ConsoleLine.Other other) {
                others.add(other.text());
                interrupted.set(interrupted.get() || other.text().equals("stop"));
            }
        });
    }

    private void assertEnded() {
        assertFalse(others.isEmpty(), "the process has not said its number");
        Optional<ProcessHandle> process = ProcessHandle.of(Long.parseLong(others.getFirst()));
        assertTrue(process.isEmpty() || !process.get().isAlive(), "process " + others.getFirst() + " has not ended");
    }
}
