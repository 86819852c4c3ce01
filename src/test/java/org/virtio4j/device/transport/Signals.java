// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What a transport is asked to do; it only writes down what it was told. */
class Signals implements TransportSignals {

    private final List<String> heard = Collections.synchronizedList(new ArrayList<>());

    @Override
    public void queueInterrupt(int queue) {
        heard.add("queue " + queue);
    }

    @Override
    public void configInterrupt() {
        heard.add("config");
    }

    @Override
    public void deviceReset() {
        heard.add("reset");
    }

    List<String> take() {
        List<String> taken = List.copyOf(heard);
        heard.clear();
        return taken;
    }
}
