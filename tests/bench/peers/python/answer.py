"""The first step of a call: whose number was dialled, then the choice of language."""

from twilio.twiml.voice_response import Gather, VoiceResponse

from twilio_webhook import BASE_URL, REFUSED, directory, parameters_of, spoken


def handler(event):
    parameters = parameters_of(event)
    if parameters is None:
        return REFUSED

    number = directory.get_item(Key={"pk": f"number#{parameters['To']}"}).get("Item")

    response = VoiceResponse()
    if number is None:
        response.say("This number is not in service. Goodbye.", voice="Polly.Joanna-Neural", language="en-US")
        response.hangup()
        return spoken(response)
    action = f"{BASE_URL}/voice/language"
    gather = Gather(input="dtmf", num_digits=1, timeout=8, action=action, method="POST")
    welcome = "Welcome to the privacy request line. For English, press 1."
    gather.say(welcome, voice="Polly.Joanna-Neural", language="en-US")
    gather.say("Para español, oprima el 2.", voice="Polly.Lupe-Neural", language="es-US")
    response.append(gather)
    response.redirect(action, method="POST")
    return spoken(response)
