// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.play;

import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.hostile.HostileRequests;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.replay.input.ReplayTransport;
import org.virtio4j.replay.survey.EventWindow;
import org.virtio4j.replay.survey.IommuSurvey;
import org.virtio4j.trace.EventKind;
import org.virtio4j.trace.TranslationKind;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.iommu.IommuFeature;

/** One IOMMU of a trace with its registers, its driver, and the devices behind it. */
final class ReplayedIommu implements AutoCloseable {

    private final ReplayTransport.Connection connection;
    private final IommuDriver driver;
    private final Endpoints endpoints;
    private final RequestPlayer requests;
    private final FaultPlayer faults;
    private final PlayingMeter meter;
    private final Mismatches mismatches;
    private final boolean bypassConfig;

    /** The driver has its queues set up, and the device knows. */
    private boolean live;
    private long translations;

    /**
     * What all IOMMUs of a machine share.
     *
     * @param memory of the guest
     * @param mappings counts the mappings of all of them
     * @param mismatches takes what did not come out as recorded
     * @param meter pauses while nothing is to be measured
     */
    record Shared(GuestMemory memory, LiveMappings mappings, Mismatches mismatches, PlayingMeter meter) {
    }

    ReplayedIommu(ReplayTransport transport, IommuSurvey survey, GuestRam ram, Shared shared) {
        int ringSize = survey.recorded().requestQueueSize();
        ServedRequests served = new ServedRequests(ringSize, shared.mappings());
        VirtioIommu iommu = RecordedIommu.build(survey, served);
        meter = shared.meter();
        mismatches = shared.mismatches();
        ComparedRequests compared = new ComparedRequests(new PendingRequests(ringSize), served, mismatches);
        bypassConfig = (survey.recorded().accepted() >>> IommuFeature.BYPASS_CONFIG & 1) != 0;
        endpoints = new Endpoints(survey, iommu, shared.memory());
        AnswerCheck check = new AnswerCheck(compared, endpoints);
        connection = transport.connect(iommu, DmaSpace.identity(shared.memory()));
        driver = new IommuDriver(connection.transport(), ram, RecordedIommu.driverOptions(survey.recorded()), check);
        HostileRequests hostile = new HostileRequests(driver, ram, HostileRequests.USUAL_ROOM);
        requests = new RequestPlayer(survey, iommu, hostile, compared, check);
        faults = new FaultPlayer(driver, survey.recorded().eventQueueSize(), mismatches);
    }

    void play(EventWindow window, int event) {
        switch (window.kind(event)) {
            case MAP, UNMAP, ATTACH, DETACH, PROBE, RAW -> playRequest(window, event);
            case TRANSLATE -> playTranslation(window, event);
            case RESET_SYSTEM -> playReset();
            case STATUS -> playStatus(window, event);
            case BYPASS -> playBypass(window, event);
            case FAULT -> playFault(window, event);
            case KICK -> playKick(window, event);
        }
    }

    /** The window is about to be replaced. */
    void leaveWindow() {
        requests.leaveWindow();
    }

    /** The trace has ended. */
    void finish() {
        requests.sync();
    }

    boolean stuck() {
        return requests.stuck();
    }

    RequestPlayer requests() {
        return requests;
    }

    long translations() {
        return translations;
    }

    @Override
    public void close() {
        connection.reset().run();
        endpoints.close();
    }

    private void playRequest(EventWindow window, int event) {
        if (live) {
            requests.play(window, event);
        } else {
            complainOfDriver(window, event);
        }
    }

    private void playKick(EventWindow window, int event) {
        if (live) {
            requests.kick();
        } else {
            complainOfDriver(window, event);
        }
    }

    private void playFault(EventWindow window, int event) {
        if (live) {
            faults.play(window, event);
        } else {
            complainOfDriver(window, event);
        }
    }

    private void playTranslation(EventWindow window, int event) {
        requests.sync();
        EndpointDma endpoint = endpoints.find(window.endpoint(event));
        TranslationKind expected = window.translation(event);
        if (endpoint == null) {
            return;
        }
        if (expected == TranslationKind.FAULT && live) {
            faults.makeRoom();
        }
        endpoint.translate(window.virtStart(event), window.access(event) == 1 ? Access.READ : Access.WRITE);
        translations++;
        if (!endpoint.came(expected, window.address(event)) && mismatches.begin(window.line(event))) {
            mismatches.end("translation of " + Long.toHexString(window.virtStart(event)) + " for endpoint "
                    + Integer.toUnsignedString(endpoint.endpoint()),
                    EndpointDma.describe(expected, window.address(event)), endpoint.describe());
        }
    }

    /** Device and driver start over: what comes next is a status. */
    private void playReset() {
        requests.sync();
        meter.pause();
        connection.reset().run();
        clear();
        meter.resume();
    }

    private void playStatus(EventWindow window, int event) {
        requests.sync();
        meter.pause();
        int status = window.deviceStatus(event);
        StartResult result = driver.writeStatus(status);
        int came = driver.device().transport().status();
        live = (came & DeviceStatus.DRIVER_OK) != 0;
        if (status == 0) {
            clear();
        }
        if (came != status && mismatches.begin(window.line(event))) {
            mismatches.end("device status", Integer.toString(status), came + " (" + result + ")");
        }
        meter.resume();
    }

    private void clear() {
        live = false;
        requests.clear();
        faults.clear();
    }

    private void playBypass(EventWindow window, int event) {
        requests.sync();
        int value = window.bypass(event);
        driver.writeBypass(value);
        boolean counts = bypassConfig && value <= 1;
        if (counts && driver.bypass() != value && mismatches.begin(window.line(event))) {
            mismatches.end("bypass byte", Integer.toString(value), Integer.toString(driver.bypass()));
        }
    }

    private void complainOfDriver(EventWindow window, int event) {
        if (mismatches.begin(window.line(event))) {
            EventKind kind = window.kind(event);
            mismatches.end(kind.toString(), "a driver that has set up its queues", "device status "
                    + driver.device().transport().status());
        }
    }
}
