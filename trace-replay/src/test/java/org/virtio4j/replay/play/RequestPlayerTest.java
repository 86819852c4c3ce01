// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.hostile.HostileRequests;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.replay.input.TraceFile;
import org.virtio4j.replay.result.Mismatch;
import org.virtio4j.replay.survey.EventWindow;
import org.virtio4j.replay.survey.IommuSurvey;
import org.virtio4j.replay.survey.TraceSurvey;
import org.virtio4j.trace.TraceReader;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.RegisterHandler;
import org.virtio4j.wire.MmioRegister;

class RequestPlayerTest {

    private static final long RAM = 0x7000_0000L;

    @Test
    void shouldNameTheLineAndGoNoFurtherWhenTheDeviceDoesNotAnswer() throws Exception {
        TraceFile trace = TraceFile.of("trace", "A 0 8 0\nM 0 1000 1fff 0 3 0\n".getBytes(StandardCharsets.US_ASCII));
        TraceSurvey survey = Objects.requireNonNull(TraceSurvey.of(trace, (phase, which, done, total) -> true));
        Mismatches mismatches = new Mismatches("trace", PlayingMeter.calibrated());
        try (GuestMemory memory = GuestMemory.anonymous(RAM, 1L << 22); TraceReader reader = trace.open()) {
            RequestPlayer player = deafPlayer(survey.iommus().getFirst(), memory, mismatches);
            EventWindow window = new EventWindow();
            assertTrue(window.fill(reader));
            player.play(window, 0);
            assertTrue(player.stuck());
            player.sync();
        }
        assertEquals(List.of(new Mismatch("trace", 1, "ATTACH domain 0 endpoint 8: expected an answer, came NO_ANSWER "
                + "NONE, device status 15")), mismatches.first());
    }

    /** On a device whose doorbell nobody hears. */
    private static RequestPlayer deafPlayer(IommuSurvey survey, GuestMemory memory, Mismatches mismatches) {
        ServedRequests served = new ServedRequests(256, new LiveMappings());
        PendingRequests pending = new PendingRequests(256);
        VirtioIommu iommu = RecordedIommu.build(survey, served);
        ComparedRequests compared = new ComparedRequests(pending, served, mismatches);
        AnswerCheck check = new AnswerCheck(compared, new Endpoints(survey, iommu, memory));
        RegisterHandler window = VirtioMmioDevice.of(iommu, DmaSpace.identity(memory), level -> { });
        GuestRam ram = new GuestRam(memory, RAM, 1L << 22);
        IommuDriver driver = new IommuDriver(MmioDriverTransport.of(withoutDoorbell(window)), ram,
                RecordedIommu.driverOptions(survey.recorded()), check);
        driver.start();
        return new RequestPlayer(survey, iommu, new HostileRequests(driver, ram, 1 << 12), compared, check);
    }

    private static RegisterHandler withoutDoorbell(RegisterHandler window) {
        return new RegisterHandler() {
            @Override
            public long read(long offset, int width) {
                return window.read(offset, width);
            }

            @Override
            public void write(long offset, int width, long value) {
                if (offset != MmioRegister.QUEUE_NOTIFY) {
                    window.write(offset, width, value);
                }
            }
        };
    }
}
