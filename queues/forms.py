from django import forms
from django.utils.translation import gettext_lazy as _


class EventSearchForm(forms.Form):
    """What the list of events can be searched by; a field that makes no sense is told and left out of the search."""

    q = forms.CharField(label=_("Event, venue or city"), max_length=100, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    after = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    before = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
