// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.virtio4j.device.ResetKind;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.vmm.Access;

/** One random sequence against one machine and the model of it. */
final class RandomRun {

    private static final int[] RING_FEATURES = {28, 29, 40};

    private final IommuMachine machine;
    private final IommuModel model;
    private final IommuModel.Setup setup;
    private final boolean disturbed;
    private final List<RandomRequestsTest.MirrorMap> mirrors;
    private final List<Long> removed;
    private final long seed;
    private final Random random;
    private final RandomRequests requests;
    private int step;
    private String doing = "power on";

    /** The most mappings there were at a time. */
    private long most;

    RandomRun(IommuMachine machine, IommuModel.Setup setup, int pages,
            List<RandomRequestsTest.MirrorMap> mirrors, List<Long> removed, long seed) {
        this.machine = machine;
        this.model = new IommuModel(setup);
        this.setup = setup;
        this.disturbed = pages < 100;
        this.mirrors = mirrors;
        this.removed = removed;
        this.seed = seed;
        this.random = new Random(seed);
        this.requests = new RandomRequests(setup, pages, model, random);
    }

    void play(int steps) {
        for (int endpoint : setup.endpoints().keySet()) {
            machine.dma(endpoint);
        }
        check();
        start(setup.offered());
        check();
        for (step = 0; step < steps; step++) {
            int kind = random.nextInt(disturbed ? 1000 : 980);
            if (kind < 930) {
                sendOne();
            } else if (kind < 960) {
                sendBatch();
            } else if (kind < 980) {
                writeBypass();
            } else if (kind < 993) {
                resetEndpoint();
            } else {
                reset(kind < 997 ? ResetKind.DEVICE : kind < 999 ? ResetKind.FUNCTION : ResetKind.SYSTEM);
            }
            check();
            changeMirrors();
        }
    }

    /**
     * Fails if the sequence was a poor one: it must have had many mappings, and each of the usual answers many times.
     */
    void assertWorthwhile(int mappings) {
        assertTrue(most >= mappings, () -> "at most " + most + " mappings; " + where());
        for (int status : new int[] {Spec.OK, Spec.INVAL, Spec.RANGE, Spec.NOENT}) {
            long count = machine.iommu().counters().statuses(status);
            assertTrue(count >= 100, () -> "status " + status + " came " + count + " times; " + where());
        }
        assertTrue(machine.iommu().counters().unanswered() >= 100);
        assertTrue(machine.iommu().counters().removedMappings() >= 100);
    }

    // Steps

    private void sendOne() {
        byte[] request = requests.next();
        int writable = requests.writableFor(request);
        doing = "request " + Arrays.toString(request) + " with room for " + writable;
        refuseSometimes(request);
        removed.clear();
        Reply reply = random.nextInt(5) == 0
                ? machine.sendPieces(request, cut(request.length), writable, cut(writable))
                : machine.send(request, writable);
        compare(model.serve(request, writable), reply, 0);
        mirrors.forEach(mirror -> mirror.refuse(0, MappingListener.Answer.DONE));
    }

    private void sendBatch() {
        List<byte[]> batch = new ArrayList<>();
        for (int i = 1 + random.nextInt(80); i > 0; i--) {
            byte[] request = requests.next();
            if (request.length > 0) {
                batch.add(request);
            }
        }
        removed.clear();
        List<Reply> replies = machine.sendAll(batch);
        int answered = 0;
        for (int i = 0; i < batch.size(); i++) {
            doing = "request " + i + " of a batch, " + Arrays.toString(batch.get(i));
            IommuModel.Outcome expected = model.serve(batch.get(i), Spec.TAIL);
            compare(expected, replies.get(i), answered);
            answered += expected.status == Spec.UNANSWERED ? 0 : 1;
        }
    }

    private void writeBypass() {
        int value = random.nextInt(4) == 0 ? random.nextInt(256) : random.nextInt(2);
        doing = "bypass = " + value;
        machine.writeBypass(value);
        model.writeBypass(value);
    }

    private void resetEndpoint() {
        int endpoint = requests.existingEndpoint();
        doing = "reset of endpoint " + endpoint;
        machine.iommu().endpointReset(endpoint);
        model.endpointReset(endpoint);
    }

    private void reset(ResetKind kind) {
        doing = "reset of kind " + kind;
        if (kind == ResetKind.DEVICE) {
            machine.resetDevice();
        } else {
            machine.reset(kind);
        }
        if (kind == ResetKind.SYSTEM) {
            model.resetSystem();
        } else {
            model.reset();
        }
        check();
        Set<Integer> features = new HashSet<>(setup.offered());
        if (random.nextInt(3) == 0) {
            features.removeIf(bit -> random.nextInt(4) == 0);
        }
        start(features);
    }

    private void start(Set<Integer> features) {
        doing = "start with features " + features;
        FeatureSet set = FeatureSet.of(32);
        for (int bit : features) {
            set = set.with(bit);
        }
        for (int bit : RING_FEATURES) {
            set = random.nextBoolean() ? set.with(bit) : set;
        }
        machine.start(set);
        model.negotiate(features);
    }

    private void refuseSometimes(byte[] request) {
        boolean asked = request.length > 0
                && (request[0] == Spec.ATTACH || request[0] == Spec.MAP || request[0] == Spec.UNMAP);
        if (mirrors.isEmpty() || !asked || model.hasExpelled() || random.nextInt(6) != 0) {
            return;
        }
        boolean noRoom = random.nextBoolean();
        RandomRequestsTest.MirrorMap mirror = mirrors.get(random.nextInt(mirrors.size()));
        model.refusal().call = 1 + random.nextInt(request[0] == Spec.ATTACH ? 4 : 1);
        model.refusal().status = noRoom ? Spec.NOMEM : Spec.DEVERR;
        model.refusal().endpoints = mirror.endpoints;
        mirror.refuse(model.refusal().call,
                noRoom ? MappingListener.Answer.NO_ROOM : MappingListener.Answer.FAILED);
    }

    /** One that was expelled comes back after a while; and sometimes one leaves and joins again for no reason. */
    private void changeMirrors() {
        for (RandomRequestsTest.MirrorMap mirror : mirrors) {
            if (random.nextInt(mirror.expelled ? 10 : 200) == 0) {
                doing = "leaving and joining of a mirror";
                machine.iommu().leave(mirror);
                if (mirror.expelled) {
                    model.mirrorLeft();
                } else {
                    assertEquals(Map.of(), mirror.attachments, this::where);
                    assertEquals(Map.of(), mirror.mappings, this::where);
                }
                mirror.forget();
                check(mirrors.stream().filter(other -> other != mirror).toList());
                assertEquals(MappingListener.Answer.DONE, machine.iommu().join(mirror, mirror.ids()));
                check();
            }
        }
    }

    private int[] cut(int length) {
        if (length == 0) {
            return new int[0];
        }
        int[] pieces = new int[1 + random.nextInt(Math.min(length, 5))];
        int left = length;
        for (int i = 0; i < pieces.length - 1; i++) {
            pieces[i] = random.nextInt(left + 1);
            left -= pieces[i];
        }
        pieces[pieces.length - 1] = left;
        return pieces;
    }

    // Comparisons

    private void compare(IommuModel.Outcome expected, Reply reply, int answered) {
        byte[] bytes = new byte[reply.writable().length];
        Arrays.fill(bytes, Reply.UNTOUCHED);
        long length = 0;
        if (expected.status != Spec.UNANSWERED) {
            int tail = expected.properties.length;
            System.arraycopy(expected.properties, 0, bytes, 0, tail);
            Arrays.fill(bytes, tail, tail + Spec.TAIL, (byte) 0);
            bytes[tail] = (byte) expected.status;
            length = (long) tail + Spec.TAIL;
            assertEquals(expected.removed, removed.get(answered), this::where);
        }
        assertEquals("used " + length + " status " + expected.status,
                "used " + reply.usedLength() + " status " + reply.status(), this::where);
        assertArrayEquals(bytes, reply.writable(), this::where);
    }

    private void check() {
        check(mirrors);
    }

    private void check(List<RandomRequestsTest.MirrorMap> joined) {
        most = Math.max(most, model.mappings());
        assertEquals(model.bypass(), machine.bypass(), this::where);
        assertEquals(model.mappings(), machine.iommu().liveMappings(), this::where);
        assertEquals(model.domains().size(), machine.iommu().liveDomains(), this::where);
        for (int endpoint : setup.endpoints().keySet()) {
            for (int i = 0; i < 6; i++) {
                checkAddress(endpoint, requests.address());
            }
        }
        for (RandomRequestsTest.MirrorMap mirror : joined) {
            assertEquals(model.hasExpelled() && model.refusal().endpoints.equals(mirror.endpoints), mirror.expelled,
                    this::where);
            if (!mirror.expelled) {
                Map<Integer, List<Integer>> attachments = new HashMap<>();
                model.attachments().forEach((endpoint, domain) -> attachments.put(endpoint, List.of(domain)));
                attachments.keySet().retainAll(mirror.endpoints);
                assertEquals(attachments, mirror.attachments, this::where);
                assertEquals(mappings(mirror.endpoints), mirror.mappings, this::where);
            }
        }
    }

    private void checkAddress(int endpoint, long address) {
        for (Access access : Access.values()) {
            Seen expected = model.see(endpoint, address, access == Access.WRITE);
            assertEquals(expected, machine.see(endpoint, address, access), () -> String.format(
                    "%s; %s of 0x%x by endpoint %d", where(), access, address, endpoint));
        }
    }

    private Map<Integer, Map<Long, IommuModel.Mapping>> mappings(Set<Integer> endpoints) {
        Map<Integer, Map<Long, IommuModel.Mapping>> all = new HashMap<>();
        model.domains().forEach((number, domain) -> {
            if (!domain.mappings.isEmpty() && domain.endpoints.stream().anyMatch(endpoints::contains)) {
                all.put(number, domain.mappings);
            }
        });
        return all;
    }

    private String where() {
        return "-Dvirtio4j.seed=" + seed + ", step " + step + ", " + doing;
    }
}
