"""The caller has keyed a service code: whose it is, that business's greeting, and the menu."""

import time

from twilio.twiml.voice_response import Gather, VoiceResponse

from twilio_webhook import BASE_URL, REFUSED, accounts, directory, parameters_of, spoken

TEN_DAYS = 10 * 24 * 60 * 60
VOICE = {"voice": "Polly.Joanna-Neural", "language": "en-US"}


def handler(event):
    parameters = parameters_of(event)
    if parameters is None:
        return REFUSED
    digits = parameters.get("Digits", "")

    found = directory.get_item(Key={"pk": f"code#{digits}"}).get("Item")
    code = accounts.get_item(Key={"pk": found["tenant"], "sk": f"code#{digits}"}).get("Item") if found else None

    response = VoiceResponse()
    if code is None or not code["active"]:
        action = f"{BASE_URL}/voice/service-code"
        again = Gather(input="dtmf", finish_on_key="#", timeout=8, action=action, method="POST")
        again.say("We do not know that code. Please key it again, then press pound.", **VOICE)
        response.append(again)
        response.redirect(action, method="POST")
        return spoken(response)

    directory.put_item(
        Item={
            "pk": f"call#{parameters['CallSid']}",
            "tenant": found["tenant"],
            "code": digits,
            "expires_at": int(time.time()) + TEN_DAYS,
        }
    )

    action = f"{BASE_URL}/voice/request-kind"
    gather = Gather(input="dtmf", num_digits=1, timeout=8, action=action, method="POST")
    gather.say(code["greeting"], **VOICE)
    for entry in code["menu"]:
        gather.say(f"{entry['text']}, press {entry['key']}.", **VOICE)
    response.append(gather)
    response.redirect(action, method="POST")
    return spoken(response)
